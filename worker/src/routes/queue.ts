import { unknownId } from '../../../pkg/src/queue/engine';
import type { Caller } from '../auth';
import { readText } from '../body';
import { crowded, forbidden, invalid, reached } from '../errors';
import { partsOf } from '../gates';
import { merged } from '../queue/merged';
import {
  everyQueueObject,
  MOST_SHARDS,
  ofEach,
  queueObject,
  queueStats,
  shardsOf,
  told,
  toldText,
} from '../queue/place';
import { load, queuePlace, queueShard } from '../wasm';
import { shardsAsked } from './input';
import { visitOf, type Ours, type Route } from './route';
import { oneOf, textOf, whole } from './schemas';

const PATH = '/api/ai/queue';

const REQUEST_ID = textOf(64);
const ASKED = {
  type: 'object',
  properties: {
    provider: textOf(256),
    model: textOf(256),
    messages: { type: 'array', items: { type: 'object' }, minItems: 1 },
    priority: oneOf('critical', 'high', 'normal', 'low'),
    maxRetries: whole(0, 10),
    timeoutMs: whole(1, 86_400_000),
    timeout: whole(1, 86_400_000),
    organisation: textOf(256),
    user: textOf(256),
    conversation: textOf(256),
    idempotencyKey: textOf(256),
  },
  required: ['messages'],
};

/** What `?action=` may be, and what it does. */
type Actions = Record<string, (c: Ours, caller: Caller) => Promise<Response>>;
const CHANGES: Actions = { enqueue, cancel, requeue };
const LOOKS: Actions = { status, stats, events, dead, cleanup };

/** The durable queue: what is asked now and answered later. */
export const queue: Route[] = [
  {
    method: 'POST',
    path: PATH,
    scope: 'chat',
    summary: 'Queues a chat request; `action=cancel` or `action=requeue` (admin) instead is about one that is queued',
    query: { action: oneOf(...Object.keys(CHANGES)), requestId: REQUEST_ID },
    body: ASKED,
    bodyMayMiss: true,
    headers: { 'idempotency-key': textOf(256) },
    statuses: [202, 404, 409, 422, 500, 503],
    handle: (c, caller) => actionOf(CHANGES, c, 'enqueue')(c, caller),
  },
  {
    method: 'GET',
    path: PATH,
    scope: 'chat',
    summary: 'Status and result of a request, figures, progress as it comes; dead letters and cleaning up for admins',
    query: {
      action: oneOf(...Object.keys(LOOKS)),
      requestId: REQUEST_ID,
      shard: whole(0, MOST_SHARDS - 1),
      shards: whole(1, MOST_SHARDS),
    },
    statuses: [101, 404, 500, 503],
    handle: (c, caller) => actionOf(LOOKS, c, 'status')(c, caller),
  },
  {
    method: 'DELETE',
    path: PATH,
    scope: 'chat',
    summary: 'Takes a queued request back',
    query: { requestId: REQUEST_ID },
    statuses: [404, 500],
    handle: cancel,
  },
];

async function enqueue(c: Ours, caller: Caller): Promise<Response> {
  const shards = shardsOf(c.env);
  const { headers } = visitOf(c);
  const json = await readText(c.req.raw, headers);
  const key = headers.get('idempotency-key') ?? undefined;
  load();
  const shard = shards === 1 ? 0 : queueShard(json, caller.user, key, shards);
  const { organisation, user } = caller;
  const object = queueObject(c.env, organisation, shard);
  const status = toldText(await object.enqueue(organisation, shard, json, user, key, partsOf(caller)));
  return new Response(status, { status: 202, headers: JSON_TYPE });
}

async function status(c: Ours, caller: Caller): Promise<Response> {
  const { id, object } = asked(c, caller);
  return found(told(await object.status(id, boundTo(caller))));
}

async function stats(c: Ours, caller: Caller): Promise<Response> {
  return c.json(await queueStats(c.env, caller.organisation, shardsAsked(c)));
}

async function cancel(c: Ours, caller: Caller): Promise<Response> {
  const { id, object } = asked(c, caller);
  return found(told(await object.cancel(id, boundTo(caller))));
}

async function requeue(c: Ours, caller: Caller): Promise<Response> {
  admin(caller);
  const { id, object } = asked(c, caller);
  return found(told(await object.revive(id)));
}

async function dead(c: Ours, caller: Caller): Promise<Response> {
  admin(caller);
  const all = await ofEach(everyQueueObject(c.env, caller.organisation), (object) => object.dead());
  return new Response(`{"dead":[${all.flat().join(',')}]}`, { headers: JSON_TYPE });
}

async function cleanup(c: Ours, caller: Caller): Promise<Response> {
  admin(caller);
  const all = await ofEach(everyQueueObject(c.env, caller.organisation), (object) => object.cleanup());
  const sum = (pick: 'changed' | 'erased') => all.reduce((sum, one) => sum + one[pick], 0);
  return c.json({ changed: sum('changed'), erased: sum('erased') });
}

/** Progress of one request, of one shard if it is named, or of all. */
async function events(c: Ours, caller: Caller): Promise<Response> {
  const id = c.req.query('requestId');
  const count = shardsOf(c.env);
  const only = id === undefined ? shardNamed(c.req.query('shard'), count) : shardOf(id);
  const { organisation } = caller;
  const user = boundTo(caller);
  if (c.req.method === 'HEAD') {
    // Nobody would ever read, nor go away: not a listener.
    if (id !== undefined) found(told(await queueObject(c.env, organisation, only ?? 0).status(id, user)));
    return new Response(null, { headers: EVENTS });
  }
  const upgrade = c.req.header('upgrade');
  const headers = new Headers(upgrade === undefined ? {} : { upgrade });
  const listening = async (shard: number, signal: AbortSignal): Promise<Response> => {
    const url = new URL('https://queue');
    url.searchParams.set('organisation', organisation);
    url.searchParams.set('shard', String(shard));
    if (id !== undefined) url.searchParams.set('requestId', id);
    if (user !== undefined) url.searchParams.set('user', user);
    url.searchParams.set('by', caller.token ?? '');
    const asking = queueObject(c.env, organisation, shard).fetch(url, { headers, signal });
    const response = await asking.catch((failure: unknown) => {
      throw reached(failure);
    });
    if (response.status === 404) throw unknownId();
    if (response.status === 503) throw crowded('Too many listen already.');
    return response;
  };
  const { signal } = c.req.raw;
  const { webSocket, body } = await (only === undefined ? merged(count, listening, signal) : listening(only, signal));
  // Headers of another object's answer cannot be changed, and the Worker adds its own.
  if (webSocket) return new Response(null, { status: 101, webSocket });
  return new Response(body, { headers: EVENTS });
}

/** The shard that is asked for by its number; nothing for all of them. */
function shardNamed(named: string | undefined, count: number): number | undefined {
  if (named === undefined) return count === 1 ? 0 : undefined;
  const shard = Number(named);
  if (!Number.isInteger(shard) || shard < 0 || shard >= count) throw invalid('shard', 'must be one of the shards');
  return shard;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const EVENTS = { 'content-type': 'text/event-stream' };

/** What the request asks to be done; `usual` if it does not say. */
function actionOf(actions: Actions, c: Ours, usual: string) {
  const name = c.req.query('action') ?? usual;
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (!action) throw invalid('action', `must be one of ${Object.keys(actions).join(', ')}`);
  return action;
}

function admin(caller: Caller): void {
  if (!caller.scopes.includes('admin')) throw forbidden('admin');
}

/** Whose requests the caller sees: a user their own; all of the organisation who is none, or an admin. */
const boundTo = ({ user, scopes }: Caller) => (scopes.includes('admin') ? undefined : user);

function asked(c: Ours, caller: Caller) {
  const id = c.req.query('requestId');
  if (id === undefined) throw invalid('requestId', 'must be given');
  return { id, object: queueObject(c.env, caller.organisation, shardOf(id)) };
}

/** The shard that a request is in: fewer than there were leave it where it is, and more there never were. */
function shardOf(id: string): number {
  load();
  const [shard] = (queuePlace(id) as [shard: number, arrival: number] | undefined) ?? [MOST_SHARDS];
  if (shard >= MOST_SHARDS) throw unknownId();
  return shard;
}

function found(status: string | undefined): Response {
  if (status === undefined) throw unknownId();
  return new Response(status, { headers: JSON_TYPE });
}
