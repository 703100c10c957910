// What could not be sent to another realm, by name. Loaded only once something could not.

import { invalid, type TidegateError } from '../errors.js';

/**
 * Where among a call's arguments the first value is that cannot be sent: a promise, a function, a getter that throws. The
 * path is that of a field, as in `messages.2.content`, or `arguments.1` for an argument as such.
 */
export function unsent(args: readonly unknown[], cause: unknown): TidegateError {
  const [at, ...path] = pathIn(args) ?? [];
  const named = path.length > 0 || at === undefined ? path : ['arguments', at];
  return Object.assign(invalid(named.join('.'), 'must be plain data, and no promise'), { cause });
}

/** The names that lead to the first value in `value` that cannot be cloned; nothing if all can. */
function pathIn(value: unknown): string[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const name of Object.keys(value)) {
    try {
      const own = (value as Record<string, unknown>)[name];
      try {
        structuredClone(own);
      } catch {
        return [name, ...(pathIn(own) ?? [])];
      }
    } catch {
      // A getter, or a proxy that is over.
      return [name];
    }
  }
  return undefined;
}
