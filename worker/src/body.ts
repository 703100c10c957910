import type { FlatHeaders } from '../../pkg/src/boundary';
import { MAX_BODY_BYTES, textOf, tooLong } from '../../pkg/src/body';
import { invalid } from './errors';

/** Types that cannot be JSON. Everything else is let through: clients name none or a wrong one, curl a form's. */
const NOT_JSON = /^\s*(multipart|image|audio|video)\//i;

/**
 * The request's body. It is counted while it comes, since a length that is stated need not be true.
 * @throws `invalid_request`: 413 if it is too long, 415 if it is no JSON by its type, 400 if it came in pieces that are not
 * UTF-8.
 */
export async function readBody(request: Request, headers: Pick<Headers, 'get'>): Promise<Uint8Array> {
  if (NOT_JSON.test(headers.get('content-type') ?? '')) {
    throw invalid('content-type', 'must be application/json', 415);
  }
  const stated = headers.get('content-length');
  if (Number(stated) > MAX_BODY_BYTES) throw tooLong();
  // Whoever reads HTTP takes no more than was stated; and all at once is one turn of the runtime's in place of three.
  if (stated === null) return new TextEncoder().encode(await textOf(request));
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.byteLength > MAX_BODY_BYTES) throw tooLong();
  return bytes;
}

/**
 * The same as text.
 * @throws also `invalid_request` (400) if it is not UTF-8.
 */
export async function readText(request: Request, headers: Pick<Headers, 'get'>): Promise<string> {
  const bytes = await readBody(request, headers);
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw invalid('body', 'must be UTF-8');
  }
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** Longest headers and address of a request together. All are ASCII or bytes written as one letter each. */
export const MAX_HEADER_BYTES = 32 * 1024;

/** Most headers of a request. Clients send up to forty. */
export const MAX_HEADERS = 100;

export function oversized(url: string, headers: FlatHeaders): boolean {
  let length = url.length + headers.length * 2;
  for (const text of headers) length += text.length;
  return length > MAX_HEADER_BYTES || headers.length > 2 * MAX_HEADERS;
}
