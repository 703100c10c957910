/** A request without what its caller proves itself with: no secret of ours goes further than this module. */
export interface Stripped {
  /** Everything the caller may have sent as its token, by place; empty where there was nothing. */
  given: string[];
  headers: Headers;
  /** Path and query, percent-encoded as they came. */
  path: string;
}

/**
 * Takes the token from wherever clients put their key: OpenAI's, Groq's and OpenRouter's into `authorization`,
 * Anthropic's into `x-api-key`, Gemini's into `x-goog-api-key` or, older ones, into the address.
 */
export function stripped(request: Request): Stripped {
  const headers = new Headers(request.headers);
  const url = new URL(request.url);
  const given = [
    /^bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '')?.[1] ?? '',
    headers.get('x-api-key') ?? '',
    headers.get('x-goog-api-key') ?? '',
    url.searchParams.get('key') ?? '',
  ];
  // The names stay: they tell which kind of client calls.
  for (const name of ['authorization', 'x-api-key', 'x-goog-api-key']) if (headers.has(name)) headers.set(name, '');
  // Only if it is there, since this writes the whole query anew.
  if (url.searchParams.has('key')) url.searchParams.delete('key');
  return { given, headers, path: url.pathname + url.search };
}
