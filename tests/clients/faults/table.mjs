// The faults, and what must come of each: where there is no other target, and where there is one.

const MB = 1024 * 1024;
const NEVER_MS = 600_000;
const ONLY_WHOLE = ['whole'];
const ONLY_STREAMED = ['streamed'];
const BOTH = ['whole', 'streamed'];

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {object} [fault] as the stand-in takes it; without one all is well
 * @property {string[]} modes
 * @property {'answer' | 'cut' | { status: number, code: string, timeout?: string }} sees what the caller sees: the
 *   answer, the pieces before the fault with an error behind them, or an error in their place
 * @property {number} attempts at the target, without another one
 * @property {'nothing' | 'bound'} bill of each attempt that failed: nothing if it is known that nothing was generated,
 *   else the most that it can have cost
 * @property {number} [waitMs] the wait that the provider states, between two attempts
 * @property {number} [toldMs] the wait that the caller is told
 * @property {boolean} [moves] whether another target is asked
 * @property {number} [before] attempts at the target before another one is asked, if not `attempts`
 * @property {number} [pieces] that the caller sees of a cut answer, 3 unless told
 * @property {'idle'} [timer] which of the gate's timers runs out soon, the one that the caller sees unless told
 */

/** @type {Row[]} */
export const ROWS = [];

const row = (name, modes, fault, sees, more) =>
  ROWS.push({ name, modes, fault, sees, attempts: 2, bill: 'nothing', moves: true, timer: sees.timeout, ...more });

const limited = { status: 429, code: 'upstream_limited' };
const failed = { status: 502, code: 'upstream_failed' };
const malformed = { status: 502, code: 'upstream_malformed' };
const timeout = (kind) => ({ status: 504, code: 'timeout', timeout: kind });
const status = (code, more) => ({ kind: 'status', status: code, ...more });

row('no fault', BOTH, undefined, 'answer', { attempts: 1 });
row('three bytes at a time', BOTH, { kind: 'dribble', bytes: 3 }, 'answer', { attempts: 1 });
row('headers a little late', BOTH, { kind: 'slow-headers', ms: 100 }, 'answer', { attempts: 1 });
row('a first token a little late', BOTH, { kind: 'slow-first', ms: 100, comments: true }, 'answer', {
  attempts: 1,
});
row('10 MB in one string', ONLY_WHOLE, { kind: 'long-line' }, 'answer', { attempts: 1 });

// A short wait is slept, but not while another target could be asked; a long one is told.
for (const form of ['seconds', 'ms', 'date', 'reset', 'body']) {
  // An instant is nearer by the time that a busy machine reads it.
  const waitMs = form === 'date' || form === 'reset' ? 1_000 : 200;
  const short = status(429, { wait: { form, ms: waitMs } });
  row(`429 for ${waitMs} ms (${form})`, BOTH, short, limited, { waitMs, toldMs: 1, before: 1 });
  const long = status(429, { wait: { form, ms: 90_000 } });
  row(`429 for 90 s (${form})`, BOTH, long, limited, { attempts: 1, toldMs: 80_000 });
}
row('429 without a wait', BOTH, status(429), limited);
row('429 not to be asked again', BOTH, status(429, { headers: { 'x-should-retry': 'false' } }), limited, {
  attempts: 1,
});
for (const code of [500, 502, 503, 529]) row(`${code}`, BOTH, status(code), failed);
row('503 for 0.2 s', BOTH, status(503, { wait: { form: 'seconds', ms: 200 } }), failed, {
  waitMs: 200,
  toldMs: 1,
  before: 1,
});
row('503 for 90 s', BOTH, status(503, { wait: { form: 'seconds', ms: 90_000 } }), failed, {
  attempts: 1,
  toldMs: 80_000,
});
row('400', BOTH, status(400), { status: 400, code: 'upstream_rejected' }, { attempts: 1, moves: false });
row('401', BOTH, status(401), { status: 502, code: 'authentication' }, { attempts: 1 });
row('402', BOTH, status(402), { status: 502, code: 'quota' }, { attempts: 1 });
row('404 of a model', BOTH, status(404), { status: 502, code: 'model_not_found' }, { attempts: 1 });
row('an error with 200', ONLY_WHOLE, { kind: 'error-event', status: 503 }, failed);
row('an error event at once', ONLY_STREAMED, { kind: 'error-event', after: 0, status: 503 }, failed);

// From here on the model may have run.
const possible = { bill: 'bound' };
row('HTML with 200', BOTH, { kind: 'html' }, malformed, possible);
row('10 MB of HTML with 200', BOTH, { kind: 'html', bytes: 10 * MB }, malformed, possible);
row('an empty body', BOTH, { kind: 'empty' }, malformed, possible);
row('half a body', ONLY_WHOLE, { kind: 'early-end' }, malformed, possible);
row('a body that breaks off', ONLY_WHOLE, { kind: 'cut' }, failed, possible);
row('over at once', ONLY_STREAMED, { kind: 'early-end', after: 0 }, malformed, possible);
row('cut at once', ONLY_STREAMED, { kind: 'cut', after: 0 }, failed, possible);
row('a malformed chunk at once', ONLY_STREAMED, { kind: 'malformed', after: 0 }, malformed, possible);
row('a line of 10 MB at once', ONLY_STREAMED, { kind: 'long-line', after: 0 }, malformed, possible);

const late = { kind: 'slow-headers', ms: NEVER_MS };
row('no headers, ever', ONLY_WHOLE, { kind: 'hang' }, timeout('attempt'), possible);
row('no headers, ever', ONLY_STREAMED, { kind: 'hang' }, timeout('headers'), possible);
row('slow headers', ONLY_WHOLE, late, timeout('attempt'), possible);
row('slow headers', ONLY_STREAMED, late, timeout('headers'), possible);
row('a body that stalls', ONLY_WHOLE, { kind: 'stall' }, timeout('attempt'), possible);
row('stalled at once', ONLY_STREAMED, { kind: 'stall', after: 0 }, timeout('first-output'), possible);
for (const comments of [false, true]) {
  const fault = { kind: 'slow-first', ms: NEVER_MS, comments };
  const name = comments ? 'a slow first token, under comments' : 'a slow first token';
  row(name, ONLY_STREAMED, fault, timeout('first-output'), possible);
}

// What the caller has seen is not said again by another.
const cut = { attempts: 1, bill: 'bound', moves: false };
row('over after output', ONLY_STREAMED, { kind: 'early-end', after: 3 }, 'cut', cut);
row('cut after output', ONLY_STREAMED, { kind: 'cut', after: 3 }, 'cut', cut);
row('a malformed chunk after output', ONLY_STREAMED, { kind: 'malformed', after: 3 }, 'cut', cut);
row('an error event after output', ONLY_STREAMED, { kind: 'error-event', after: 3, status: 503 }, 'cut', cut);
row('a line of 10 MB after output', ONLY_STREAMED, { kind: 'long-line', after: 3 }, 'cut', cut);
row('stalled after output', ONLY_STREAMED, { kind: 'stall', after: 3 }, 'cut', { ...cut, timer: 'idle' });
row('too slow after output', ONLY_STREAMED, { kind: 'slow', ms: 700 }, 'cut', {
  ...cut,
  timer: 'idle',
  pieces: 1,
});
