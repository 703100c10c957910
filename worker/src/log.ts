import type { Asker } from './auth';
import { hashOf } from './auth/token';
import type { Env } from './env';
import type { Outcome } from './figures/samples';
import type { Noted } from './routes/route';
import { load, withoutKeys } from './wasm';

/** An id for a request that the gateway itself gives none. */
export const newId = (): string => `tg-${crypto.randomUUID()}`;

/** An id of a caller's own: letters that no log can be broken with. */
const ID = /^[\w.:-]{8,128}$/;
/** The trace that a request is part of, as the W3C writes it; later versions may write more behind it. */
const TRACE = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.{0,200})?$/;
/** Whether the request is recorded, and whether its trace's id is random: all that version 00 and 02 know. */
const FLAGS = 0b11;

/** The id that the caller gave its request, if it can be one. */
function givenId(headers: Pick<Headers, 'get'>): string | undefined {
  const given = headers.get('x-request-id');
  return given !== null && ID.test(given) ? given : undefined;
}

/** What is told of a request wherever it is told: to its caller, upstream and in the log. */
export interface Told {
  readonly method: string;
  /** The caller's own id of it. */
  readonly givenId: string | undefined;
  /** Its place in its trace. */
  readonly trace: string;
}

/** To be asked once for a request: its place in its trace is another one each time. */
export const toldOf = (method: string, headers: Pick<Headers, 'get'>): Told => ({
  ...{ method, givenId: givenId(headers), trace: traceOf(headers.get('traceparent')) },
});

/** A child of the caller's trace, with its flags, or the beginning of a new one if the caller's `traceparent` is none. */
function traceOf(given: string | null): string {
  const [, version, id, flags, more] = (given !== null && TRACE.exec(given)) || [];
  const sound = id !== undefined && (version !== '00' || more === undefined);
  const kept = sound ? (Number.parseInt(flags ?? '', 16) & FLAGS).toString(16).padStart(2, '0') : '00';
  const [trace, place] = random();
  return `00-${sound ? id : trace}-${place}-${kept}`;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Bytes of two ids, of 16 and 8. */
const IDS = 24;
/** Drawn ahead: asking for bytes costs more than the bytes. Each is used once; none is a secret. */
const pool = new Uint8Array(IDS * 40);
let used = pool.length;

/** Two ids of random bytes in hex, never all zero. */
function random(): [trace: string, place: string] {
  if (used >= pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  const bytes = pool.subarray(used, (used += IDS));
  bytes[0] ||= 1;
  bytes[16] ||= 1;
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return [text.slice(0, 32), text.slice(32)];
}

/** A user as lines of the log show one: the same in all of them, and nobody's name. */
export const shownUser = async (organisation: string | undefined, user: string): Promise<string> =>
  (await hashOf(`${organisation}\n${user}`)).slice(0, 16);

/** What TIDEGATE_LOG may be; "all" unless it is set. */
export const LEVELS: readonly string[] = ['all', 'errors', 'none'];

function wants({ TIDEGATE_LOG: wanted = 'all' }: Env, code: string): boolean {
  return wanted !== 'none' && (wanted !== 'errors' || code !== 'ok');
}

/** The caller's id is its own to choose, and names of models come from the configuration. */
function write(line: Record<string, unknown>): void {
  const text = JSON.stringify(line);
  load();
  console.log(withoutKeys(text) ?? text);
}

/**
 * One line of JSON for each request, for whoever runs the Worker; TIDEGATE_LOG: "all" (the default), "errors" or "none".
 * It has codes, counts and times, never what was asked or answered, nor a token, key or address; users are hashed.
 */
export async function logged(
  request: Told | undefined,
  caller: Asker | undefined,
  outcome: Outcome,
  env: Env,
  requestId?: string,
): Promise<void> {
  const failed = outcome.code !== 'ok';
  if (!wants(env, outcome.code)) return;
  const { meta } = outcome;
  const user = caller?.user === undefined ? undefined : await shownUser(caller.organisation, caller.user);
  // Written in one piece: this is done for each request.
  write({
    event: 'request',
    level: failed ? 'warn' : 'info',
    code: outcome.code,
    reason: outcome.reason,
    method: request?.method,
    dialect: outcome.dialect,
    organisation: caller?.organisation,
    user,
    tier: caller?.tier,
    token: caller?.token,
    requestId,
    givenId: request?.givenId,
    trace: request?.trace,
    target: meta?.target,
    attempts: meta?.attempts,
    tried: outcome.tried ?? meta?.tried,
    cache: meta?.cache,
    costNanoUsd: meta?.costNanoUsd,
    usage: meta?.usage,
    totalMs: outcome.totalMs,
    firstMs: outcome.firstMs,
  });
}

/** The same for a request to a route of the Worker's own: who changed what is in it, and not to what. */
export async function loggedRoute(
  { method, givenId, trace }: Told,
  { route, code, reason, caller }: Noted,
  { status, headers }: Response,
  totalMs: number,
  env: Env,
): Promise<void> {
  if (!wants(env, code)) return;
  const level = code === 'ok' ? 'info' : 'warn';
  const user = caller?.user === undefined ? undefined : await shownUser(caller.organisation, caller.user);
  const { organisation, tier, token } = caller ?? {};
  const requestId = headers.get('x-tidegate-request-id') ?? undefined;
  const ids = { requestId, givenId, trace };
  write({
    event: 'request',
    level,
    code,
    reason,
    method,
    route,
    status,
    organisation,
    user,
    tier,
    token,
    ...ids,
    totalMs,
  });
}
