import { TidegateError } from '../../../pkg/src/errors';
import { mustBeJson, received } from '../body';
import { forbidden, invalid } from '../errors';
import { checked, whole, type Check } from '../fields';
import { parsed, TWICE } from '../json';
import { organisationName } from '../names';
import { bytesOf } from '../outside';
import { MOST_SHARDS } from '../queue/place';
import type { Caller } from '../auth';
import type { Ours, Route } from './route';

/** Longest body of the Worker's own routes, in bytes. */
const MAX_BYTES = 64 * 1024;

/** How deep lists and objects of a body may lie in one another: twice as deep as any route needs. */
const MAX_DEPTH = 8;

/** Whether lists and objects lie deeper in one another than that. Reads no more of the text than it has to. */
function isDeep(json: string): boolean {
  let depth = 0;
  // Texts are passed over whole: what is in them nests nothing.
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"?|[[\]{}]/gs)) {
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

/** The body of a request, as one object of known fields. `none` is what no body at all stands for, if it may be missing. */
export async function bodyOf<T>(c: Ours, check: Check<T>, none?: T): Promise<T> {
  mustBeJson(c.req.raw.headers);
  const bytes = await received(bytesOf(c.req.raw.body, MAX_BYTES));
  if (!bytes) throw invalid('body', `must not be longer than ${MAX_BYTES} bytes`, 413);
  if (bytes.length === 0 && none !== undefined) return none;
  return read(check, jsonOf(bytes));
}

function jsonOf(bytes: Uint8Array): unknown {
  const noJson = () => invalid('body', 'must be JSON');
  let json: string;
  try {
    json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw noJson();
  }
  if (isDeep(json)) throw invalid('body', `must not be nested deeper than ${MAX_DEPTH} levels`);
  let read;
  try {
    read = parsed(json);
  } catch {
    throw noJson();
  }
  if ('twice' in read) throw invalid(read.twice, TWICE);
  return read.value;
}

/** A value, or `invalid_request` with every field that is wrong. */
export function read<T>(check: Check<T>, value: unknown, path = ''): T {
  const result = checked(check, value);
  if ('value' in result) return result.value;
  const named = result.problems.map((one) => ({ ...one, path: one.path || path || 'body' }));
  const message = 'The request is not valid.';
  throw new TidegateError({
    ...{ code: 'invalid_request', message, status: 400, shouldRetry: false, fields: named, attempts: [] },
  });
}

/** A whole number of the query. */
export function numberOf(c: Ours, name: string, min: number, max: number, other: number): number {
  const given = c.req.query(name);
  if (given === undefined) return other;
  return read(whole(min, max), /^\d{1,15}$/.test(given) ? Number(given) : given, name);
}

/** Of how many shards the queue's figures are asked for; nothing for those that the configuration has. */
export const shardsAsked = (c: Ours): number | undefined =>
  c.req.query('shards') === undefined ? undefined : numberOf(c, 'shards', 1, MOST_SHARDS, 1);

/**
 * Refuses what a route does not read of its query: a misspelt `?organisation=` would make a token of the caller's own, or
 * erase somebody there. `key` is one of the places of tokens.
 * @throws `invalid_request` that names it.
 */
export function onlyKnown(c: Ours, { query = {} }: Pick<Route, 'query'>, { organisation }: Caller): void {
  for (const [name, value] of new URL(c.req.url).searchParams) {
    if (Object.hasOwn(query, name) || name === 'key') continue;
    const ours = name === 'organisation';
    if (ours && value === organisation) continue;
    const known = Object.keys(query).join(', ') || 'none';
    const own = `must be left out: this is about your own, ${organisation}`;
    throw invalid(name.slice(0, 64), ours ? own : `is not known in the query; known are ${known}`);
  }
}

/**
 * The organisation that an admin's request is about: their own, or for the operator the one of `?organisation=`.
 * @throws `forbidden` for anybody else's.
 */
export function ruledBy(c: Ours, caller: Caller): string {
  const asked = c.req.query('organisation');
  if (asked === undefined || asked === caller.organisation) return caller.organisation;
  if (!caller.scopes.includes('operator')) throw forbidden('operator');
  return read(organisationName, asked, 'organisation');
}
