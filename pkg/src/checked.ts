// The options of a request, checked where a program gives them.

import { isData, isPlain, refusal } from './errors.js';
import type { ChatOptions } from './types.js';

const OPTIONS = { tenant: 'string', cache: 'object', signal: 'object' };
const OF_CACHE = {
  skipRead: 'boolean',
  skipWrite: 'boolean',
  refresh: 'boolean',
  ttlMs: 'number',
  namespace: 'string',
};
const PROBLEMS: Record<string, string> = {
  string: 'must be a text of whole characters',
  object: 'must be an object',
  boolean: 'must be true or false',
  number: 'must be milliseconds, 0 or more',
};

/**
 * The options as they are. A name that is not known is refused, too: with a slip in `tenant`, tenants would share.
 * @throws `invalid_request`, which names the option.
 */
export function checked<T extends ChatOptions>(options: T): T {
  try {
    shaped('', options, OPTIONS);
    const { signal, cache } = options;
    if (cache) shaped('cache', cache, OF_CACHE);
    if (signal && !(typeof signal.aborted === 'boolean' && typeof signal.addEventListener === 'function'))
      throw refusal('signal', 'must be an AbortSignal');
    return options;
  } catch (thrown) {
    // A getter, or a proxy that is over.
    throw isData(thrown) ? thrown : refusal('options', 'must be plain data');
  }
}

function shaped(path: string, value: object, types: Record<string, string>): void {
  if (!isPlain(value)) throw refusal(path || 'options', 'must be a plain object');
  for (const [name, own] of Object.entries(value)) {
    const field = path && `${path}.`;
    const type = Object.hasOwn(types, name) ? types[name] : undefined;
    if (type === undefined)
      throw refusal(field + name, `is not a known field; known are ${Object.keys(types).join(', ')}`);
    // What is absent may be said to be so.
    if (own == null) continue;
    // The Wasm would read all halves of characters as the same one, and tenants would share.
    if (typeof own !== type || own < 0 || Number.isNaN(own) || (type === 'string' && /\p{Cs}/u.test(own as string)))
      throw refusal(field + name, PROBLEMS[type] ?? '');
  }
}
