import { invalid } from './errors';

/** Longest request body, in bytes. */
export const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** Types that cannot be JSON. Everything else is let through: clients name none or a wrong one, curl a form's. */
const NOT_JSON = /^\s*(multipart|image|audio|video)\//i;

/**
 * The request's body as text. It is counted while it comes, since a length that is stated need not be true.
 * @throws an error object: 413 if it is too long, 415 if it is no JSON by its type, 400 if it is not UTF-8.
 */
export async function readBody(request: Request): Promise<string> {
  if (NOT_JSON.test(request.headers.get('content-type') ?? '')) {
    throw invalid('The body must be JSON: send content-type: application/json.', 'content-type', 415);
  }
  const tooLong = () => invalid(`The body must not be longer than ${MAX_BODY_BYTES} bytes.`, undefined, 413);
  if (Number(request.headers.get('content-length')) > MAX_BODY_BYTES) throw tooLong();
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  let text = '';
  let bytes = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) throw tooLong();
    text += decode(decoder, chunk);
  }
  return text + decode(decoder);
}

function decode(decoder: TextDecoder, chunk?: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch {
    throw invalid('The body must be UTF-8.');
  }
}
