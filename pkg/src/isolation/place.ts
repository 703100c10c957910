// Where a gate runs: the part of the configuration that is about realms and never reaches the Wasm.

import { TidegateError, type ErrorData } from '../errors.js';
import type { TidegateConfig } from '../types.js';

/** The fields of `TidegateConfig` about where the gate runs. */
export const PLACES = ['isolation', 'workerUrl', 'frameUrl', 'serviceWorker'] as const;

export type Place = Pick<TidegateConfig, (typeof PLACES)[number]>;

const LEVELS = ['page', 'worker', 'frame'];
const SERVICE_WORKERS = ['allow', 'refuse'];

/** What is wrong with a configuration, field by field. */
export type Wrong = NonNullable<ErrorData['fields']>;

/**
 * Divides a configuration into what is about places and what the gateway reads. What is wrong with the places is told
 * with what the gateway finds: all at once.
 */
export function placeOf(config: TidegateConfig): [place: Place, rest: TidegateConfig, wrong: Wrong] {
  const fields: Wrong = [];
  // What is no object is for the gateway to refuse.
  if (typeof config !== 'object' || config === null) return [{}, config, fields];
  const { isolation, workerUrl, frameUrl, serviceWorker, ...rest } = config;
  const check = (path: string, value: unknown, allowed: (value: unknown) => boolean, problem: string) => {
    if (value !== undefined && !allowed(value)) fields.push({ path, problem });
  };
  const text = (value: unknown) => {
    try {
      return typeof value === 'string' && value !== '' && new URL(value, 'http://a') instanceof URL;
    } catch {
      return false;
    }
  };
  check('isolation', isolation, (value) => LEVELS.includes(value as string), "must be 'page', 'worker' or 'frame'");
  check('workerUrl', workerUrl, text, 'must be an address');
  check('frameUrl', frameUrl, text, 'must be an address');
  // Left unread, the keys would lie where nobody thinks that they do.
  check('frameUrl', frameUrl || undefined, () => isolation === 'frame', "needs isolation: 'frame'");
  check(
    'serviceWorker',
    serviceWorker,
    (value) => SERVICE_WORKERS.includes(value as string),
    "must be 'allow' or 'refuse'",
  );
  return [{ isolation, workerUrl, frameUrl, serviceWorker } as Place, rest, fields];
}

/** `config_invalid`, as the Wasm says it. */
export const misplaced = (fields: Wrong): TidegateError =>
  new TidegateError({
    code: 'config_invalid',
    message: 'The configuration is not valid.',
    status: 500,
    shouldRetry: false,
    fields,
    attempts: [],
  });

/** What is wrong with a ledger in a browser. */
export const ledgerOfBrowser = (ledger: unknown): string | undefined =>
  ledger == null || ledger === 'memory' || (ledger === 'indexeddb' && typeof indexedDB !== 'undefined')
    ? undefined
    : "must be 'indexeddb' (where the browser has it) or 'memory' here";

/**
 * The realm of the gate cannot be had (`shouldRetry` false: the same again fails the same way), or was lost while it
 * worked (true: it is started anew).
 */
export const isolationFailed = (message: string, shouldRetry = false, cause?: unknown): TidegateError => {
  const error = new TidegateError({ code: 'isolation_failed', message, status: 500, shouldRetry, attempts: [] });
  if (cause !== undefined) error.cause = cause;
  return error;
};
