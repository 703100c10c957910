// What every client has to be able to do, whatever it goes through. A transport opens as
//
//   { run(client, task, variant?), standIn, shared?, blind?, stop() }
//
// `run` gives what run.mjs gives; `variant` is a gateway of another configuration. `shared`: all of them share a ledger.
// `blind`: what stands between is not told that the client has gone.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { AFTER_TOOL, ARGUMENTS, OBJECT, textOf, USAGE } from './stand-in/replies.mjs';

const FINISHED = /^(stop|end_turn|STOP|completed)$/;
const CALLED = /^(tool[-_]calls|tool_use|STOP|completed)$/;

let questions = 0;
/** One that nobody has asked, so that nobody knows the answer. */
const question = () => `Why is sea number ${(questions += 1)} salty?`;

const failed = (outcome) => {
  assert.ok(outcome.error, `an error, not ${JSON.stringify(outcome.value)?.slice(0, 200)}`);
  return outcome.error;
};
const succeeded = (outcome) => {
  assert.ok(outcome.value, `an answer, not ${JSON.stringify(outcome.error)}`);
  return outcome.value;
};

/** Waits for what the provider learns a moment later than the client; on a busy machine that moment is long. */
async function until(met, what) {
  for (const started = Date.now(); !met(); await sleep(10)) assert.ok(Date.now() - started < 15_000, what);
}

/** What nobody answers ends this soon after the abort, however busy the machine is: the gateway's timers are longer. */
const AT_ONCE_MS = 4_000;

/**
 * @param {string} title
 * @param {Record<string, import('./clients/questions.mjs').Client>} clients
 * @param {() => Promise<object>} open the transport
 * @param {{ gateway?: boolean, more?: (name: string, client: object, context: object) => void }} [options]
 */
export function suite(title, clients, open, { gateway = false, skip = false, more } = {}) {
  describe(title, { skip }, () => {
    const context = {};
    before(async () => {
      context.transport = await open();
    });
    after(() => context.transport?.stop());
    for (const [name, client] of Object.entries(clients)) {
      describe(name, () => {
        beforeEach(() => context.transport.standIn.reset());
        let asked;
        const run = (op, task = {}, variant) => {
          asked = task.question ?? question();
          return context.transport.run(name, { client: name, op, ...task, question: asked }, variant);
        };
        // Of this question: where nobody hangs up, those of earlier tests may still be tried again.
        const ofThis = ({ body }) => JSON.stringify(body).includes(asked);
        const all = () => standIn().journal.filter(ofThis);
        const calls = () => all().length;
        const own = (index = 0) => all()[index];
        const standIn = () => context.transport.standIn;
        // Of the question that is asked next: an abort by the clock may come before the request does.
        const onceAsked = () => {
          const next = question();
          return { question: next, abort: { asked: `${standIn().url}/control/asked?${encodeURIComponent(next)}` } };
        };
        const faults = (...list) => standIn().faults(client.provider, list);
        const shared = () => context.transport.shared === true;
        const hungUp = async () => {
          if (context.transport.blind) return;
          await until(() => calls() > 0 && all().every(({ aborted }) => aborted), 'the provider is hung up on');
        };
        // A client that leaves is not noticed by a Worker here, so what it asked for goes on, and may take the fault that
        // the next test has set: such a test is tried again.
        const check = (title, ...rest) => {
          const body = rest.pop();
          return test(title, ...rest, async () => {
            for (let tries = 1; ; tries += 1) {
              try {
                return await body();
              } catch (error) {
                if (!shared() || tries === 3) throw error;
                await sleep(1_200);
                await context.transport.standIn.reset();
              }
            }
          });
        };
        const given = {
          check,
          run,
          calls,
          own,
          standIn,
          shared,
          hungUp,
          onceAsked,
          faults,
          client,
          failed,
          succeeded,
          question,
          until,
        };
        answers(given);
        aborts(given);
        if (gateway) {
          // Where all tests share one ledger, a request of an earlier one that nobody could hang up on may have been
          // limited just now: the target has to be cool again.
          beforeEach(async () => {
            for (let tries = 0; shared() && tries < 30; tries += 1) {
              if ((await run('plain', { setup: { maxRetries: 0 } })).value) break;
              await sleep(200);
            }
            await context.transport.standIn.reset();
          });
        }
        (gateway ? gatewayErrors : providerErrors)(given);
        more?.(name, client, given);
      });
    }
  });
}

function answers({ check, run, calls, own, faults, succeeded }) {
  check('plain, with its usage', async () => {
    const asked = question();
    const value = succeeded(await run('plain', { question: asked }));
    assert.equal(value.text, textOf(asked));
    assert.match(value.finish, FINISHED);
    assert.deepEqual(value.usage, USAGE);
    assert.equal(calls(), 1);
    assert.equal(own().stream, false);
  });

  check('streamed, with its usage', async () => {
    const asked = question();
    const outcome = await run('stream', { question: asked });
    const value = succeeded(outcome);
    assert.equal(value.text, textOf(asked));
    assert.equal(outcome.pieces.join(''), textOf(asked));
    assert.match(value.finish, FINISHED);
    assert.deepEqual(value.usage, USAGE);
    assert.equal(own().stream, true);
  });

  check('pieces come as they are made', async () => {
    faults({ kind: 'slow', ms: 60 });
    const outcome = await run('stream');
    succeeded(outcome);
    assert.ok(outcome.pieces.length >= 4, `${outcome.pieces.length} pieces`);
    assert.ok(outcome.ms - outcome.firstMs >= 180, `the first after ${outcome.firstMs} ms of ${outcome.ms} ms`);
  });

  check('bytes cut anywhere are put together again', async () => {
    faults({ kind: 'dribble' });
    const asked = question();
    assert.equal(succeeded(await run('stream', { question: asked })).text, textOf(asked));
  });

  check('a tool is called, and its result answered', async () => {
    const value = succeeded(await run('tools'));
    assert.equal(value.name, 'weather');
    assert.deepEqual(value.args, ARGUMENTS);
    assert.match(value.finish, CALLED);
    assert.equal(value.text, AFTER_TOOL);
    assert.equal(calls(), 2);
    assert.match(JSON.stringify(own(1).body), /celsius\W+18/);
  });

  check('an object of a schema', async () => {
    assert.deepEqual(succeeded(await run('json')), OBJECT);
  });
}

function aborts({ check, run, calls, standIn, faults, client, failed, hungUp, onceAsked }) {
  check('an abort before the request sends nothing', async () => {
    assert.equal(failed(await run('plain', { abort: 'before' })).kind, 'aborted');
    assert.equal(failed(await run('stream', { abort: 'before' })).kind, 'aborted');
    assert.equal(calls(), 0);
  });

  check('an abort while it waits hangs up, and is not tried again', async () => {
    faults({ kind: 'hang' });
    const outcome = await run('plain', onceAsked());
    assert.equal(failed(outcome).kind, 'aborted');
    assert.ok(outcome.afterAbortMs < AT_ONCE_MS, `${outcome.afterAbortMs} ms`);
    await hungUp();
    assert.equal(calls(), 1);
  });

  check('an abort in the middle of a stream hangs up', async () => {
    faults({ kind: 'stall', after: 3 });
    const outcome = await run('stream', { abort: { pieces: 2 } });
    if (client.endsQuietly) assert.ok(outcome.pieces.length >= 2);
    else assert.equal(failed(outcome).kind, 'aborted');
    assert.ok(outcome.afterAbortMs < AT_ONCE_MS, `${outcome.afterAbortMs} ms`);
    await hungUp();
    assert.equal(calls(), 1);
  });

  check("the client's own timeout ends the request", async () => {
    for (const op of ['plain', 'stream']) {
      // On a busy machine the shorter one may run out before anything is sent.
      for (const timeoutMs of [300, 3_000]) {
        standIn().reset();
        faults({ kind: 'hang' });
        const outcome = await run(op, { setup: { timeoutMs, maxRetries: 0 } });
        assert.equal(failed(outcome).kind, client.timeoutIs ?? 'timeout');
        assert.ok(outcome.ms < timeoutMs + AT_ONCE_MS, `${outcome.ms} ms`);
        if (calls() > 0) break;
      }
      await hungUp();
    }
  });
}

/** Errors that a provider wrote, as the client tells them: what the gateway's have to look like. */
function providerErrors({ run, calls, standIn, faults, client, failed }) {
  const kinds = { 400: 'invalid', 401: 'authentication', 402: 'status 402', 404: 'not-found', 423: 'status 423' };
  const again = { 429: 'limited', 500: 'upstream', 502: 'upstream', 503: 'upstream', 504: 'upstream', 529: 'upstream' };
  for (const [status, kind] of Object.entries({ ...kinds, ...again })) {
    test(`${status} is ${kind}`, async () => {
      for (const op of ['plain', 'stream']) {
        faults({ kind: 'status', status: Number(status) });
        const error = failed(await run(op, { setup: { maxRetries: 0 } }));
        assert.deepEqual([error.kind, error.status], [kind, Number(status)]);
      }
    });
  }

  test('the time to wait is told', { skip: client.hidesHeaders }, async () => {
    faults({ kind: 'status', status: 429, wait: { form: 'seconds', ms: 7_000 } });
    assert.equal(failed(await run('plain', { setup: { maxRetries: 0 } })).retryAfter, '7');
  });

  test('an error in the stream is thrown after the pieces', async () => {
    faults({ kind: 'error-event', after: 3, status: 503 });
    const outcome = await run('stream');
    assert.equal(failed(outcome).kind, client.inBandIs ?? 'in-band');
    assert.equal(outcome.pieces.length, 3);
  });

  test(
    '`x-should-retry: false` ends it',
    { skip: client.obeys ? false : 'goes by the status: maxRetries: 0' },
    async () => {
      for (const status of [429, 500]) {
        standIn().reset();
        standIn().faults(client.provider, [], { kind: 'status', status, headers: { 'x-should-retry': 'false' } });
        failed(await run('plain'));
        assert.equal(calls(), 1);
      }
    },
  );
}

/** The gateway's own errors, in the client's classes. Its configuration retries once: two calls are all there may be. */
function gatewayErrors({ check, run, calls, standIn, shared, faults, client, failed, succeeded }) {
  const setup = client.obeys ? {} : { maxRetries: 0 };
  const always = (fault) => standIn().faults(client.provider, [], fault);
  for (const [what, fault, kind, status, times] of [
    ['a refused request', { status: 400 }, 'invalid', 400, 1],
    ['a refused key', { status: 401 }, 'upstream', 502, 1],
    ['an unknown model', { status: 404 }, 'upstream', 502, 1],
    ['a provider that limits', { status: 429, wait: { form: 'seconds', ms: 1_000 } }, 'limited', 429, 1],
    ['a broken provider', { status: 500 }, 'upstream', 502, 2],
    ['an overloaded provider', { status: 529 }, 'upstream', 502, 2],
  ]) {
    for (const op of ['plain', 'stream']) {
      check(`${what}, ${op}: ${kind}, asked ${times} times in all`, async () => {
        always({ kind: 'status', ...fault });
        const error = failed(await run(op, { setup }, `fresh ${what} ${op}`));
        assert.deepEqual([error.kind, error.status], [kind, status]);
        assert.equal(calls(), times);
        // Where all tests share one ledger, the target has to be cool again.
        if (status === 429 && shared()) await sleep(1_100);
        if (status === 429 && !client.hidesHeaders) assert.equal(error.retryAfter, '1');
      });
    }
  }

  check('an option that says nothing is invalid, and nothing is sent', async () => {
    const error = failed(await run('plain', { setup: { ...setup, headers: { 'x-tidegate-cache': 'perhaps' } } }));
    assert.deepEqual([error.kind, error.status], ['invalid', 400]);
    assert.equal(calls(), 0);
  });

  check('a cap that leaves no room is 402, and nothing is sent', async () => {
    const error = failed(await run('plain', { setup }, 'poor'));
    assert.deepEqual([error.kind, error.status], ['status 402', 402]);
    assert.equal(calls(), 0);
  });

  for (const kind of ['cut', 'early-end', 'malformed', 'error-event']) {
    check(`a stream that fails (${kind}) throws after its pieces, and never ends well`, async () => {
      faults({ kind, after: 3, status: 503 });
      const outcome = await run('stream', { setup }, `fresh ${kind}`);
      assert.equal(failed(outcome).kind, client.inBandIs ?? 'in-band');
      assert.equal(outcome.pieces.length, 3);
      assert.equal(calls(), 1);
    });
  }

  for (const kind of ['cut', 'html', 'empty', 'error-event']) {
    check(`a stream that fails before its first piece (${kind}) is asked for again, and nobody notices`, async () => {
      faults({ kind, after: 0, status: 503 });
      succeeded(await run('stream', { setup }, `fresh ${kind} early`));
      assert.equal(calls(), 2);
    });
  }
}
