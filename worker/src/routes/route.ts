import type { Context, Hono } from 'hono';

import { toError } from '../../../pkg/src/errors';
import { setEach } from '../answers';
import { callerOf, needs, stripped, type Caller, type Scope, type Sent } from '../auth';
import type { Env } from '../env';
import { errorResponse, reasonOf, wrongMethod } from '../errors';
import { gateOf, partsOf } from '../gates';
import { load } from '../wasm';
import { onlyKnown, ruledBy } from './input';

/** What Hono gives to each request. */
export type Ours = Context<{ Bindings: Env }>;

interface Described {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With `:name` for a part that varies. */
  path: string;
  /** What it does, in a line of the OpenAPI document. */
  summary: string;
  /** The query that it reads, as JSON schemas by name. */
  query?: Record<string, Schema>;
  /** Headers of its own that it reads, in the same way. */
  headers?: Record<string, Schema>;
  /** The body that it takes, as a JSON schema. */
  body?: Schema;
  /** Whether some of its requests have none. */
  bodyMayMiss?: true;
  /** Statuses beside 200 and the errors that every route may answer with. */
  statuses?: readonly number[];
  /** Whose rate of `rates.routes` its requests are counted by. Default: that of `other`. */
  rate?: 'status' | 'metrics';
}

/** A JSON schema. */
export type Schema = Record<string, unknown>;

/** One route of the Worker's own. What it throws is answered as an error in OpenAI's form. */
export type Route = Described &
  (
    | { scope?: undefined; handle(c: Ours): Response | Promise<Response> }
    /** Only callers with the scope get to `handle`, which is told who they are. */
    | { scope: Scope; handle(c: Ours, caller: Caller): Response | Promise<Response> }
  );

/** What is noted of a request to a route, for the log. */
export interface Noted {
  /** The path of the route, as it is configured: nothing that the caller wrote. */
  route: string;
  /** `ok`, or the code of the error. */
  code: string;
  /** What is wrong with the Worker's configuration, if that is the error. */
  reason?: string;
  /** Once known. */
  caller?: Caller;
}

/**
 * One request to the routes, which Hono hands on in the place of the platform's context, so that nothing is looked up by
 * the request: as a key of a `WeakMap` it would stay until the whole heap is collected.
 */
export class Visit {
  /** What is noted of it; nothing of those that anybody may make as often as they like. */
  note: Noted | undefined;

  constructor(
    /** Its headers, read once. */
    readonly headers: Sent,
    readonly url: string,
  ) {}

  /** Of the platform's context, which no route asks for anything. */
  readonly props = undefined;
  waitUntil(): void {}
  passThroughOnException(): void {}
}

/** The visit that a request is. */
export const visitOf = (c: Ours): Visit => c.executionCtx as Visit;

/** Health and the OpenAPI document are not. */
const isNoted = ({ scope, method }: Route) => scope !== undefined || method !== 'GET';

/** Puts routes into the app, with a 405 for every other method of their paths. */
export function register(app: Hono<{ Bindings: Env }>, routes: readonly Route[]): void {
  for (const route of routes) {
    app.on(route.method, route.path, (c) => {
      const note: Noted = { route: route.path, code: 'ok' };
      if (isNoted(route)) visitOf(c).note = note;
      return answer(() => run(c, route, note), note);
    });
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const own = routes.filter((route) => route.path === path);
    const allowed = own.map((route) => route.method);
    app.all(path, async (c) => {
      const note: Noted = { route: path, code: 'ok' };
      if (own.some(isNoted)) visitOf(c).note = note;
      const response = await answer(() => Promise.reject(wrongMethod(allowed.join(', '))), note);
      response.headers.set('allow', allowed.join(', '));
      return response;
    });
  }
}

async function run(c: Ours, route: Route, note: Noted): Promise<Response> {
  if (route.scope === undefined) return route.handle(c);
  const { scope } = route;
  const { url, headers } = visitOf(c);
  const caller = await callerOf(c.req.raw, stripped(c.req.raw, url, headers).given, c.env);
  note.caller = caller;
  const { core } = gateOf(caller.organisation, c.env);
  const rate = await core.enter(partsOf(caller), route.rate ?? 'other');
  // On errors too.
  const response = await answer(async () => {
    needs(scope, caller);
    // Before anything else is read: whoever asks about another organisation is told nothing but that.
    ruledBy(c, caller);
    onlyKnown(c, route, caller);
    return route.handle(c, caller);
  }, note);
  setEach(response.headers, rate);
  return response;
}

async function answer(work: () => Promise<Response>, note?: Noted): Promise<Response> {
  try {
    return await work();
  } catch (thrown) {
    load();
    if (note) note.code = toError(thrown).code;
    if (note?.code === 'config_invalid') note.reason = reasonOf(thrown);
    return errorResponse('chat', thrown);
  }
}
