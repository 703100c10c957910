import { recordOf } from '../../../pkg/src/flat';
import type { FlatHeaders } from '../../../pkg/src/boundary';
import { common, finished } from '../answers';
import { callerOf, stripped, type Caller, type Scope } from '../auth';
import type { Env } from '../env';
import { errorResponse, wrongMethod } from '../errors';
import { gateOf, partsOf } from '../gates';
import { toldOf } from '../log';
import { load } from '../wasm';
import { ruledBy } from './input';
import { Ours, Plain, type Found } from './router';

export { Plain, type Ours } from './router';

interface Described {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With `:name` for a part that varies. */
  path: string;
  /** What it does, in a line of the OpenAPI document. */
  summary: string;
  /** The query that it reads, as JSON schemas by name. */
  query?: Record<string, Schema>;
  /** The body that it takes, as a JSON schema. */
  body?: Schema;
  /** Statuses beside 200 and the errors that every route may answer with. */
  statuses?: readonly number[];
  /** Whose rate of `rates.routes` its requests are counted by. Default: that of `other`. */
  rate?: 'status' | 'metrics';
}

/** A JSON schema. */
export type Schema = Record<string, unknown>;

/** An answer, or what is to be one. */
export type Reply = Response | Plain;

/** One route of the Worker's own. What it throws is answered as an error in OpenAI's form. */
export type Route = Described &
  (
    | { scope?: undefined; handle(c: Ours): Reply | Promise<Reply> }
    /** Only callers with the scope get to `handle`, which is told who they are. */
    | { scope: Scope; handle(c: Ours, caller: Caller): Reply | Promise<Reply> }
  );

/** Answers a request to a path of the Worker's own, by its address and headers; any other method than a route's with a 405. */
export async function served(
  { routes, params }: Found,
  raw: Request,
  url: string,
  list: FlatHeaders,
  env: Env,
): Promise<Response> {
  const { given, headers } = stripped(raw, url, list);
  const told = toldOf(raw.method, headers);
  const isHead = raw.method === 'HEAD';
  const route = routes.get(isHead ? 'GET' : raw.method);
  const rates: FlatHeaders = [];
  const allowed = [...routes.keys()].join(', ');
  const reply = await answer(async () => {
    if (!route) throw wrongMethod(allowed);
    return run(new Ours(raw, url, headers, params, env), route, given, rates);
  });
  if (reply instanceof Plain) {
    const { text, status, type } = reply;
    const own = { 'content-type': type, ...recordOf(rates), ...common(raw, told, env) };
    return new Response(isHead ? null : text, { status, headers: own });
  }
  const response = isHead ? new Response(null, reply) : reply;
  if (!route) response.headers.set('allow', allowed);
  for (let at = 1; at < rates.length; at += 2) response.headers.set(rates[at - 1] ?? '', rates[at] ?? '');
  return finished(response, raw, env, told);
}

/** `rates` becomes the headers that say what the caller may still do. */
async function run(c: Ours, route: Route, given: string[], rates: FlatHeaders): Promise<Reply> {
  if (route.scope === undefined) return route.handle(c);
  const caller = await callerOf(c.req.raw, given, c.env, route.scope);
  // Before anything else is read: whoever asks about another organisation is told nothing but that.
  ruledBy(c, caller);
  const { core } = gateOf(caller.organisation, c.env);
  rates.push(...(await core.enter(partsOf(caller), route.rate ?? 'other')));
  return route.handle(c, caller);
}

async function answer(work: () => Promise<Reply>): Promise<Reply> {
  try {
    return await work();
  } catch (thrown) {
    load();
    return errorResponse('chat', thrown);
  }
}
