// Every fault of every provider, over real sockets, for callers of its own dialect and of another one, whole and
// streamed: what the caller saw, what was billed, which attempts were made. Nothing hangs, and nothing ends well that
// did not finish. The faults and what must come of them: faults/table.mjs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ASKING } from './faults/callers.mjs';
import { ROWS } from './faults/table.mjs';
import { ask, boundOf, costOf, FAILING } from './faults/world.mjs';
import { piecesOf, textOf } from './stand-in/replies.mjs';

/** Asks each provider as callers of each of its two dialects, all at once, and names all that went wrong. */
async function each(check) {
  const cases = FAILING.flatMap((failing) => failing.callers.map((caller) => ({ failing, caller })));
  const outcomes = await Promise.allSettled(cases.map(check));
  const wrong = outcomes.flatMap(({ reason }, at) => {
    const { failing, caller } = cases[at];
    return reason ? [`${failing.provider} in ${failing.dialect} for a caller of ${caller}: ${reason.message}`] : [];
  });
  assert.equal(wrong.length, 0, wrong.join('\n\n'));
}

function sawAnswer(seen) {
  assert.deepEqual([seen.status, seen.finished, seen.code, seen.error], [200, true, undefined, undefined]);
  assert.equal(seen.text.replace(/~+/, ''), textOf(seen.question).replace(/~+/, ''));
  assert.deepEqual([seen.account.costNanoUsd, seen.account.error], [seen.spent, undefined]);
  assert.equal(seen.account.attempts, seen.journal.length);
  assert.deepEqual(seen.told, [{ ok: true, code: undefined, costNanoUsd: seen.spent }]);
}

/** The pieces that came, then the error in the stream, and no good end. */
function sawCut(seen, { pieces = 3 }) {
  assert.deepEqual([seen.status, seen.finished, seen.code], [200, false, 'stream_interrupted']);
  assert.equal(seen.text, piecesOf(seen.question).slice(0, pieces).join(''));
  assert.deepEqual([seen.account.error.code, seen.account.costNanoUsd], ['stream_interrupted', seen.spent]);
  assert.deepEqual(seen.told, [{ ok: false, code: 'stream_interrupted', costNanoUsd: seen.spent }]);
}

/** An error in place of the answer, which says the same as a response, as an error to throw and as an event. */
function sawError(seen, { sees, toldMs, attempts }) {
  assert.deepEqual([seen.status, seen.code], [sees.status, sees.code]);
  assert.deepEqual([seen.error.code, seen.error.status, seen.error.timeout], [sees.code, sees.status, sees.timeout]);
  assert.deepEqual(
    seen.error.attempts.map(({ attempt, code }) => [attempt, code]),
    Array.from({ length: attempts }, (_, at) => [at + 1, sees.code]),
  );
  const again = String(seen.error.shouldRetry);
  assert.equal(seen.headers.get('x-should-retry'), again);
  const told = Number(seen.headers.get('retry-after-ms'));
  if (toldMs === undefined) assert.equal(told, 0);
  else assert.ok(told >= toldMs && Number(seen.headers.get('retry-after')) >= told / 1_000, `told ${told} ms`);
  assert.deepEqual(seen.told, [{ ok: false, code: sees.code, costNanoUsd: seen.spent }]);
}

const asked = ({ journal }) => journal.map(({ provider }) => provider);

/** Between the first attempt and the second, by the clock that the gate reads too. */
const slept = ({ journal: [first, second] }) => second.at - first.at;

/** A wait that is not slept is long enough for a busy machine not to look like one that is. */
const LONGER_MS = 10_000;

describe('faults, without another target', { concurrency: 3 }, () => {
  for (const row of ROWS) {
    for (const mode of row.modes) {
      test(`${row.name}, ${mode}`, () =>
        each(async ({ failing, caller }) => {
          const { fault, timer } = row;
          const seen = await ask({ failing, caller, stream: mode === 'streamed', fault, timer });
          if (row.sees === 'answer') sawAnswer(seen);
          else if (row.sees === 'cut') sawCut(seen, row);
          else sawError(seen, row);
          assert.deepEqual(asked(seen), Array(row.attempts).fill(failing.provider));
          const bound = row.bill === 'bound' ? await boundOf(failing, caller, mode === 'streamed') : 0;
          assert.equal(seen.spent, row.sees === 'answer' ? costOf(failing.provider) : row.attempts * bound);
          if (row.waitMs) assert.ok(slept(seen) >= row.waitMs, `came back after ${slept(seen)} ms`);
        }));
    }
  }
});

describe('faults, with another target of another dialect', { concurrency: 3 }, () => {
  for (const row of ROWS.filter(({ sees }) => sees !== 'answer')) {
    for (const mode of row.modes) {
      test(`${row.name}, ${mode}: ${row.moves ? 'the other one answers' : 'nobody else is asked'}`, () =>
        each(async ({ failing, caller }) => {
          const { timer } = row;
          const fault = row.waitMs ? { ...row.fault, wait: { ...row.fault.wait, ms: LONGER_MS } } : row.fault;
          const seen = await ask({ failing, caller, stream: mode === 'streamed', fault, timer, withSecond: true });
          const before = row.moves ? (row.before ?? row.attempts) : row.attempts;
          const other = row.moves ? [failing.second] : [];
          assert.deepEqual(asked(seen), [...Array(before).fill(failing.provider), ...other]);
          const bound = row.bill === 'bound' ? await boundOf(failing, caller, mode === 'streamed') : 0;
          assert.equal(seen.spent, before * bound + (row.moves ? costOf(failing.second) : 0));
          if (row.moves) sawAnswer(seen);
          else if (row.sees === 'cut') sawCut(seen, row);
          else sawError(seen, row);
          if (row.moves && row.waitMs && row.before === 1) {
            assert.ok(slept(seen) < LONGER_MS, 'it does not wait while another one can be asked');
          }
        }));
    }
  }
});

describe('faults, seen by two', () => {
  test('only the one whose attempts they were is told their cost', async () => {
    const again = async (gate, question) =>
      assert.equal((await gate.fetch(...ASKING.chat(question, false))).status, 502);
    const seen = await ask({
      failing: FAILING[0],
      caller: 'chat',
      stream: false,
      fault: { kind: 'html' },
      whileAsked: again,
    });
    assert.deepEqual(asked(seen), ['openai', 'openai']);
    assert.ok(seen.spent > 0);
    assert.deepEqual(seen.told.map(({ costNanoUsd }) => costNanoUsd).sort(), [0, seen.spent]);
  });
});

describe('waits', () => {
  test('a timer that fires before the clock says so does not lose the retry', async (t) => {
    const own = globalThis.setTimeout;
    t.after(() => (globalThis.setTimeout = own));
    globalThis.setTimeout = (call, ms, ...rest) => own(call, ms === 200 ? 190 : ms, ...rest);
    const fault = { kind: 'status', status: 429, wait: { form: 'ms', ms: 200 } };
    const seen = await ask({ failing: FAILING[0], caller: 'chat', stream: false, fault });
    assert.equal(seen.journal.length, 2);
    assert.ok(slept(seen) >= 200, `came back after ${slept(seen)} ms`);
  });
});
