// What carries a secret in is overwritten once it is taken, or refused.

import { invalid, toError } from '../errors.js';
import { isBytes } from './bytes.js';
import { wipe } from './slots.js';
import type { Secret } from './types.js';

/** The same work, whose rejections are `TidegateError`s; not begun once `closed`. */
export async function typed<T>(work: () => Promise<T>, closed?: AbortSignal): Promise<T> {
  try {
    closed?.throwIfAborted();
    return await work();
  } catch (error) {
    throw toError(error);
  }
}

/** The Wasm takes a copy: what it was copied from is overwritten, whether it was accepted or not. */
export async function wiping<T>(
  secret: Secret,
  closed: AbortSignal,
  work: (bytes: Uint8Array) => Promise<T>,
): Promise<T> {
  const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret;
  try {
    return await typed(async () => {
      // An environment variable that is not set, most of the time.
      if (!isBytes(bytes)) throw invalid('key', `must be a text or bytes, not ${typeof bytes}`);
      return work(bytes);
    }, closed);
  } finally {
    wipe(bytes);
  }
}

/** Overwrites all bytes in what a method was given, also inside of objects. */
export function wipeAll(given: unknown, depth = 3): void {
  if (isBytes(given)) wipe(given);
  else if (typeof given === 'object' && given !== null && depth > 0) {
    for (const inner of Object.values(given)) wipeAll(inner, depth - 1);
  }
}
