// One exchange with a provider. Assembled here and not in Rust, because every object, closure and promise that Rust makes
// in JavaScript is a crossing. It decides nothing: what is sent, for how long and what follows is Rust's.

// `init` holds what no request changes. `text` begins with as many lines as `lines` says: the address, then names and values
// of headers in turn; all after them is the body. What comes of it is told to `done`, once: `number`, status (-1 for a fetch
// without a response, -2 for an answer that broke off), whether the body is a reader, headers (of an answer that is none, or
// of a stream) and body.
export function begin(fetcher, init, text, lines, stream, done, number) {
  const controller = new AbortController();
  void exchange(fetcher, init, text, lines, stream, controller.signal, done, number);
  return controller;
}

async function exchange(fetcher, init, text, lines, stream, signal, done, number) {
  let status, open, read, body;
  try {
    let at = text.indexOf('\n');
    const url = text.slice(0, at);
    const line = () => {
      const from = at + 1;
      return text.slice(from, (at = text.indexOf('\n', from)));
    };
    const headers = { 'content-type': 'application/json' };
    for (let own = 1; own < lines; own += 2) headers[line()] = line();
    const request = { ...init, headers, body: text.slice(at + 1), signal };
    // Called bare: some runtimes refuse a fetch with another `this`.
    const response = await (fetcher ? fetcher(url, request) : fetch(url, request));
    status = response.status;
    const good = status >= 200 && status < 300;
    if (!good || stream) {
      read = [];
      if (!good) response.headers.forEach((value, name) => read.push(name, value));
    }
    const reader = response.body?.getReader();
    open = good && stream && reader !== undefined;
    body = reader;
    if (!open) {
      // Most bodies are one piece: for these no promise is made around the reads.
      const first = reader ? await reader.read() : { done: true };
      const next = first.done ? first : await reader.read();
      if (first.done || (next.done && first.value.length > MOST_BYTES)) body = new Uint8Array(0);
      else body = next.done ? first.value : await whole(reader, [first.value, next.value]);
    }
  } catch {
    // What the status says of a failure holds without its body.
    if (status >= 300) body = new Uint8Array(0);
    else status = status === undefined ? -1 : -2;
    open = false;
  }
  tell(done, number, status, open, read, body);
}

// Tells what came.
function tell(done, number, status, open, read, body) {
  try {
    done(number, status, open, read, body);
  } catch (trap) {
    // As an error that nobody caught, not as a promise's: whoever started a worker hears of the former alone.
    queueMicrotask(() => {
      throw trap;
    });
  }
}

// A question to whoever decides elsewhere, told to `done` as an exchange is: status 0 and the reply, or -1, or -2 where
// what is stored is of a newer version, -3 where an object of the platform's went away that may be asked again.
export function question(ask, bytes, done, number) {
  void answer(ask, bytes, done, number);
}

async function answer(ask, bytes, done, number) {
  let status = 0;
  let reply;
  try {
    reply = await ask(bytes);
  } catch (error) {
    status = error?.code === 'vault_corrupt' ? -2 : error?.retryable && !error.overloaded ? -3 : -1;
  }
  tell(done, number, status, false, undefined, reply);
}

// A promise with what settles it, and a call once all that runs has returned.
export function deferred() {
  const own = {};
  own.promise = new Promise((resolve, reject) => {
    own.resolve = resolve;
    own.reject = reject;
  });
  return own;
}

// What settles something without a promise: who waits puts the functions of one in their place.
export const unsettled = () => ({ resolve: nobody, reject: nobody });

const nobody = () => {};

export const soon = (run) => queueMicrotask(run);

const encoder = new TextEncoder();

// Writes a text to the beginning of `room`: its length in bytes, or -1 if it has no room there.
export function write(text, room) {
  const { read, written } = encoder.encodeInto(text, room);
  return read === text.length ? written : -1;
}

// Who fires so much too late, in milliseconds, has slept: the page was frozen, or its thread was busy. What came meanwhile
// may stand in line behind the timer, and is given as long again to be heard first: else an answer that is there would be
// charged as a time-out, and asked for anew.
const SLEPT_MS = 1000;

// A timer, which is told to `done`.
export function wait(millis, done, number) {
  const own = { timer: setTimeout(fire, millis) };
  let at = performance.now() + millis;
  function fire() {
    if (performance.now() - at < SLEPT_MS) return done(number, 0, false);
    at = Infinity;
    own.timer = setTimeout(fire, SLEPT_MS);
  }
  return own;
}

export const unwait = (own) => clearTimeout(own.timer);

// A signal, which is told to `done`.
export function listen(signal, done, number) {
  const heard = () => done(number, 0, false);
  signal.addEventListener('abort', heard);
  return heard;
}

export const unlisten = (signal, heard) => signal.removeEventListener('abort', heard);

// Longest body that is kept. No answer is as long; one that is would fill the memory of the page or the isolate.
const MOST_BYTES = 64 * 1024 * 1024;

// All of a body that comes in parts. Of one that is too long nothing, which is no answer in any dialect. It is counted as
// it comes: a length that is stated need not be true, and says nothing of what was compressed.
async function whole(reader, parts) {
  let length = parts[0].length + parts[1].length;
  for (;;) {
    if (length > MOST_BYTES) {
      reader.cancel().catch(() => {});
      return new Uint8Array(0);
    }
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    parts.push(value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

// The next bytes of a body, told to `done` as an exchange is: status 0 and the bytes, 1 for its end, or -1 if it broke off.
export function next(reader, done, number) {
  reader.read().then(
    ({ done: over, value }) => tell(done, number, over ? 1 : 0, false, undefined, value),
    () => tell(done, number, -1, false),
  );
}

// Whether a server answers, but lets no page read what it says. Nothing of the request that failed is in these two: the first
// asks whether anybody is there (unread, and a redirect is followed: else browsers refuse to send it), the second, with a
// preflight as the request had, whether a page may read it.
export async function refuses(fetcher, url) {
  const ask = (address, more) => {
    const request = { method: 'HEAD', credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store', ...more };
    request.signal = AbortSignal.timeout(2000);
    return (fetcher ?? fetch)(address, request);
  };
  try {
    await ask(new URL(url).origin, { mode: 'no-cors' });
  } catch {
    return false;
  }
  const headers = { 'content-type': 'application/json' };
  return ask(url, { headers, redirect: 'manual' }).then(
    () => false,
    () => true,
  );
}
