import { flat } from '../../../pkg/src/flat';
import type { FlatHeaders } from '../../../pkg/src/boundary';

/** A request without what its caller proves itself with: no secret of ours goes further than this module. */
export interface Stripped {
  /** Everything the caller may have sent as its token, by place; empty where there was nothing. */
  given: string[];
  headers: Sent;
  /** Path and query, percent-encoded as they came. */
  path: string;
}

/** Headers as they were sent, read once: each call of the platform's `Headers` costs more than a look through these. */
export class Sent {
  constructor(readonly list: FlatHeaders) {}

  get(name: string): string | null {
    const at = this.#at(name);
    return at < 0 ? null : (this.list[at + 1] ?? '');
  }

  set(name: string, value: string): void {
    const at = this.#at(name);
    if (at < 0) this.list.push(name, value);
    else this.list[at + 1] = value;
  }

  /** Names alone, in lower case. */
  names(): string[] {
    return this.list.filter((_, at) => at % 2 === 0);
  }

  #at(name: string): number {
    for (let at = 0; at < this.list.length; at += 2) if (this.list[at] === name) return at;
    return -1;
  }
}

/**
 * Takes the token from wherever clients put their key: OpenAI's, Groq's and OpenRouter's into `authorization`,
 * Anthropic's into `x-api-key`, Gemini's into `x-goog-api-key` or, older ones, into the address.
 */
export function stripped(request: Request, url = request.url, headers = new Sent(flat(request.headers))): Stripped {
  const [bearer, ...others] = ['authorization', 'x-api-key', 'x-goog-api-key'].map((name) => {
    const value = headers.get(name);
    // The names stay: they tell which kind of client calls.
    if (value !== null) headers.set(name, '');
    return value ?? '';
  });
  const given = [/^bearer +(\S+) *$/i.exec(bearer ?? '')?.[1] ?? '', ...others];
  // Past `https://`. What cannot hold a key is taken as it came.
  if (!/[?&]k|%/i.test(url)) return { given: [...given, ''], headers, path: url.slice(url.indexOf('/', 8)) };
  const { pathname, search, searchParams } = new URL(url);
  const key = searchParams.get('key');
  // Only if it is there, since this writes the whole query anew.
  if (key !== null) searchParams.delete('key');
  const query = key === null ? search : searchParams.size > 0 ? `?${searchParams}` : '';
  return { given: [...given, key ?? ''], headers, path: pathname + query };
}
