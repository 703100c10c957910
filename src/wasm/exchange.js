// One exchange with a provider. Assembled here and not in Rust, because every object, closure and promise that Rust makes
// in JavaScript is a crossing. It decides nothing: what is sent, for how long and what follows is Rust's.

// `init` holds what no request changes; `headers` are names and values in turn. The promise gives status, headers (of an
// answer that is none, or of a stream) and either the whole body or a reader of it.
export function begin(fetcher, init, url, headers, body, stream) {
  const controller = new AbortController();
  return [controller, exchange(fetcher, init, url, headers, body, stream, controller.signal)];
}

async function exchange(fetcher, init, url, flat, body, stream, signal) {
  const headers = { 'content-type': 'application/json' };
  for (let at = 1; at < flat.length; at += 2) headers[flat[at - 1]] = flat[at];
  const request = { ...init, headers, body, signal };
  // Called bare: some runtimes refuse a fetch with another `this`.
  const response = await (fetcher ? fetcher(url, request) : fetch(url, request));
  const { status } = response;
  const good = status >= 200 && status < 300;
  const read = [];
  if (!good) response.headers.forEach((value, name) => read.push(name, value));
  if (good && stream && response.body) return [status, read, response.body.getReader()];
  return [status, read, response.body ? await whole(response.body.getReader()) : new Uint8Array(0)];
}

// Longest body that is kept. No answer is as long; one that is would fill the memory of the page or the isolate.
const MOST_BYTES = 64 * 1024 * 1024;

// All of a body. Of one that is too long nothing, which is no answer in any dialect. It is counted as it comes: a length
// that is stated need not be true, and says nothing of what was compressed.
async function whole(reader) {
  const parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > MOST_BYTES) {
      reader.cancel().catch(() => {});
      return new Uint8Array(0);
    }
    parts.push(value);
  }
  if (parts.length === 1) return parts[0];
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

// The next bytes of a body, or null at its end.
export async function next(reader) {
  const { done, value } = await reader.read();
  return done ? null : value;
}

// Whether the server of an address answers at all. What it answers cannot be read (`no-cors`), and nothing of the request
// that failed is in this one.
export async function reachable(fetcher, url) {
  const request = {
    method: 'HEAD',
    mode: 'no-cors',
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    cache: 'no-store',
  };
  request.redirect = 'manual';
  request.signal = AbortSignal.timeout(2000);
  try {
    await (fetcher ?? fetch)(new URL(url).origin, request);
    return true;
  } catch {
    return false;
  }
}
