// Why a ledger could not decide, for whoever asked.

import { dataOf, isData, isTidegateError } from '../errors.js';
import type { Storage } from './storage.js';

/**
 * Decisions of a ledger, and why they failed: the Wasm says `internal` for whatever keeps it from deciding, and here it is
 * known what helps.
 */
export function toldOf(ledger: NonNullable<Storage['ledger']>): {
  ask: typeof ledger;
  why: (error: unknown) => unknown;
} {
  let failed: unknown;
  return {
    async ask(command) {
      try {
        const reply = await ledger(command);
        failed = undefined;
        return reply;
      } catch (error) {
        failed = error;
        throw error;
      }
    },
    why: (error) =>
      isTidegateError(failed) && isData(error) && error.code === failed.code
        ? { ...dataOf(error), message: failed.message }
        : error,
  };
}
