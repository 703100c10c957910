// Deadlines of all requests on one timer of the platform's: nearly all are called off before they run out, and to set and
// clear a timer for each costs Node a microsecond. Not for workerd, where a timer is its request's, nor for browsers, which
// need not load this.

// Each knows its place here: a `Set` makes a new table for every few that come and go.
const waiting = [];
let timer;
const LOST_MS = 1000;
// When it fires; nothing is due before.
let fires = Infinity;

// As `wait`: `done` is told `number` once `millis` have passed.
export function waitTogether(millis, done, number) {
  const now = performance.now();
  const own = { at: now + millis, done, number, place: waiting.length };
  // Nobody's deadline keeps a process alive that has nothing else to do; somebody's does.
  if (own.place === 0) timer?.ref?.();
  waiting.push(own);
  if (own.at < fires) arm(own.at, millis);
  // It should have fired long ago: it was set while a test played with the clock.
  else if (fires + LOST_MS < now) arm(now, 0);
  return own;
}

export function unwaitTogether(own) {
  if (taken(own) && waiting.length === 0) timer?.unref?.();
}

// Takes one out; whether it was there.
function taken(own) {
  if (own.place < 0) return false;
  const last = waiting.pop();
  if (last !== own) waiting[(last.place = own.place)] = last;
  own.place = -1;
  return true;
}

function arm(at, millis) {
  clearTimeout(timer);
  fires = at;
  timer = setTimeout(fire, millis);
}

function fire() {
  timer = undefined;
  const now = performance.now();
  // It slept (see `wait` of exchange.js): what came meanwhile is heard first.
  if (fires + LOST_MS < now && waiting.length > 0) return arm(now + LOST_MS, LOST_MS);
  fires = Infinity;
  const due = [];
  let next = Infinity;
  for (const own of waiting) {
    if (own.at <= now) due.push(own);
    else if (own.at < next) next = own.at;
  }
  if (next < Infinity) arm(next, next - now);
  for (const own of due.sort((one, other) => one.at - other.at)) {
    // What one of them ends may call another off.
    if (!taken(own)) continue;
    try {
      own.done(own.number, 0, false);
    } catch (trap) {
      // As an error that nobody caught, and not at the cost of the others.
      queueMicrotask(() => {
        throw trap;
      });
    }
  }
}
