// The page's side of the boundary between realms: calls in flight, whether the other side still lives, its being started
// anew.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { TidegateError } from '../dist/errors.js';
import { restarting } from '../dist/isolation/restarting.js';
import { channel, ERROR, lineOn, noting, OPENING, turn } from './realms.mjs';

/** A clock of the test's for intervals. */
function intervals(t) {
  const running = new Map();
  let next = 1;
  t.mock.method(globalThis, 'setInterval', (call, everyMs) => {
    running.set(next, { call, everyMs, left: everyMs });
    return next++;
  });
  t.mock.method(globalThis, 'clearInterval', (id) => void running.delete(id));
  return (ms) => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      for (const one of running.values()) {
        one.left -= 1_000;
        if (one.left > 0) continue;
        one.left = one.everyMs;
        one.call();
      }
    }
  };
}

describe('a line', () => {
  test('answers a call once, and knows no call that has ended', () => {
    const { line, sent, say } = lineOn();
    const { told, call } = noting();
    line.begin(call, (id) => line.send(['call', id, 'status', []]));
    assert.deepEqual(sent, [['call', 1, 'status', []]]);
    say('begin', 1, null);
    say('end', 1, null);
    say('account', 1, {}, null);
    for (const late of [
      ['done', 1, 7],
      ['fail', 1, ERROR],
      ['begin', 1, null],
      ['done', 9, 7],
    ])
      say(...late);
    assert.deepEqual(told, [
      ['begin', null],
      ['end', undefined],
      ['account', {}],
    ]);
    line.close();
  });

  test('that is closed fails what is in flight, and all that comes after, and says nothing any more', async () => {
    const { line, sent, say, lost } = lineOn();
    const { told, call } = noting();
    line.begin(call, () => undefined);
    const ready = assert.rejects(line.ready, { code: 'closed' });
    line.close();
    await ready;
    const inFlight = [
      ['end', 'closed'],
      ['account', 'closed'],
      ['fail', 'closed'],
    ];
    assert.deepEqual(told, inFlight);
    const after = noting();
    line.begin(after.call, () => assert.fail('it was sent'));
    assert.deepEqual(after.told, [['fail', 'closed']]);
    line.send(['ping', 1]);
    line.lose(new TidegateError(ERROR));
    say('broken');
    say('done', 1, 7);
    assert.deepEqual([told, sent, lost], [inFlight, [], []]);
  });

  for (const [how, message, code] of [
    ['is broken', ['broken'], 'isolation_failed'],
    ['is refused', ['refused', ERROR], 'internal'],
  ]) {
    test(`that ${how} says so once, to whoever waits for it too`, async () => {
      const { line, say, lost } = lineOn();
      const { told, call } = noting();
      line.begin(call, () => undefined);
      const ready = assert.rejects(line.ready, { code });
      say(...message);
      say(...message);
      await ready;
      assert.deepEqual(told.at(-1), ['fail', code]);
      assert.deepEqual(lost, [code]);
    });
  }

  test('keeps nothing of a call that could not be sent', (t) => {
    const tick = intervals(t);
    const { line, sent } = lineOn();
    const { told, call } = noting();
    const broken = new DOMException('it cannot be cloned', 'DataCloneError');
    assert.throws(
      () =>
        line.begin(call, () => {
          throw broken;
        }),
      (error) => error.code === 'invalid_request' && error.cause === broken,
    );
    tick(20_000);
    assert.deepEqual([told, sent], [[], []]);
    line.close();
    assert.deepEqual(told, []);
  });

  test('asks a busy realm whether it lives, gives it up after four questions, and asks no idle one', (t) => {
    const tick = intervals(t);
    const { line, sent, say, lost } = lineOn();
    const begin = () => line.begin(noting().call, () => undefined);
    begin();
    tick(20_000);
    assert.deepEqual(
      sent,
      [1, 2, 3, 4].map((count) => ['ping', count]),
    );
    say('pong', 1);
    tick(20_000);
    assert.deepEqual(lost, [], 'it has answered');
    assert.equal(sent.length, 8);
    say('done', 1, 7);
    tick(60_000);
    assert.equal(sent.length, 8, 'nothing is in flight');
    begin();
    tick(20_000);
    assert.deepEqual([sent.length, lost], [12, []], 'and counts anew');
    tick(5_000);
    assert.deepEqual(lost, ['isolation_failed']);
    tick(60_000);
    assert.equal(sent.length, 12);
  });

  test('passes events on, and drops what is no message', () => {
    const { line, say, events } = lineOn();
    say('event', 'wait');
    say('event', 'wait', { ms: 1 });
    assert.deepEqual(events, [['wait', { ms: 1 }]]);
    line.close();
  });

  test('that is closed asks no more', (t) => {
    const tick = intervals(t);
    const { line, lost } = lineOn();
    line.begin(noting().call, () => undefined);
    line.close();
    tick(60_000);
    assert.deepEqual(lost, []);
  });
});

describe('a realm', () => {
  /** A realm whose starts are scripted: `starts` has each with its channel. */
  function realmOn(more = {}) {
    const starts = [];
    const how = {
      ...{ level: 'worker', what: 'The worker', startMs: 60_000, opening: OPENING, hint: ' A hint.' },
      async start() {
        const one = { ...channel(), stopped: 0 };
        starts.push(one);
        return { port: one.port, stop: () => (one.stopped += 1), watch: (broken) => (one.broken = broken) };
      },
      ...more,
    };
    const heard = { event: () => undefined, names: () => ['wait'] };
    return { realm: restarting(how, heard), starts };
  }
  const opens = async ({ realm, starts }) => {
    const line = realm.line();
    await turn();
    const one = starts.at(-1);
    one.say('ready', 'chat');
    await turn();
    one.say('done', 1, null);
    return [await line, one];
  };

  test('is started once, is opened, and subscribes to what is listened to', async () => {
    const all = realmOn();
    const [line, one] = await opens(all);
    assert.equal(await all.realm.line(), line);
    assert.equal(all.starts.length, 1);
    assert.deepEqual(one.sent, [
      ['open', 1, structuredClone(OPENING)],
      ['listen', 'wait', true],
    ]);
    all.realm.end();
    await assert.rejects(all.realm.line(), { code: 'closed' });
    assert.deepEqual([one.stopped, all.starts.length], [1, 1]);
  });

  test('that is lost is stopped, and started anew: at once if it had lived, else when it is asked', async (t) => {
    const real = performance.now.bind(performance);
    let later = 0;
    t.mock.method(performance, 'now', () => real() + later);
    const all = realmOn();
    const [, one] = await opens(all);
    one.say('broken');
    await turn();
    assert.deepEqual([one.stopped, all.starts.length], [1, 1], 'right after its start');
    const [, two] = await opens(all);
    later = 5_000;
    two.say('broken');
    await turn();
    assert.deepEqual([two.stopped, all.starts.length], [1, 3], 'at once');
    all.realm.end();
    await turn();
    assert.ok(all.starts[2].stopped > 0);
  });

  test('that is ended is not started anew', async (t) => {
    const real = performance.now.bind(performance);
    let later = 0;
    t.mock.method(performance, 'now', () => real() + later);
    const all = realmOn();
    const [line, one] = await opens(all);
    later = 5_000;
    all.realm.end();
    line.lose(new TidegateError(ERROR));
    one.broken('late');
    await turn();
    assert.equal(all.starts.length, 1);
  });

  for (const [what, more, say, code, words] of [
    ['of another build', { build: 'all' }, ['ready', 'chat'], 'isolation_failed', /not 'all'/],
    ['that refuses', {}, ['refused', ERROR], 'internal', /no/],
    ['that breaks at its start', {}, ['broken'], 'isolation_failed', /stopped/],
  ]) {
    test(`${what} is stopped and told, and another try is one`, async () => {
      const all = realmOn(more);
      const told = assert.rejects(all.realm.line(), (error) => error.code === code && words.test(error.message));
      await turn();
      all.starts[0].say(...say);
      await told;
      assert.ok(all.starts[0].stopped > 0);
      all.realm.line().catch(() => undefined);
      await turn();
      assert.equal(all.starts.length, 2);
      all.realm.end();
    });
  }

  for (const [hint, message] of [
    [' A hint.', 'The worker could not be started. A hint.'],
    [undefined, 'The worker could not be started.'],
  ]) {
    test(`that ends badly before it is there says what helps${hint ? '' : ', if anything does'}`, async () => {
      const all = realmOn({ hint });
      const told = assert.rejects(all.realm.line(), { code: 'isolation_failed', message });
      await turn();
      all.starts[0].broken('404');
      await told;
    });
  }

  test('that is lost while it starts and started anew at once is started once', async () => {
    const all = realmOn({ build: 'chat' });
    const told = assert.rejects(all.realm.line(), { code: 'isolation_failed' });
    await turn();
    all.starts[0].say('broken');
    const again = opens(all);
    await told;
    const [line] = await again;
    assert.equal(await all.realm.line(), line);
    assert.equal(all.starts.length, 2);
    all.realm.end();
  });

  test('that ends badly when it has long been there was lost, and is worth another try', async () => {
    const all = realmOn();
    const [line, one] = await opens(all);
    const told = assert.rejects(
      line.call(() => undefined),
      { code: 'isolation_failed', shouldRetry: true },
    );
    one.broken('404');
    await told;
    all.realm.end();
  });

  test('that cannot be started anew is nobody’s unhandled rejection', async (t) => {
    const real = performance.now.bind(performance);
    let later = 0;
    t.mock.method(performance, 'now', () => real() + later);
    const all = realmOn();
    const [, one] = await opens(all);
    later = 5_000;
    one.say('broken');
    await turn();
    assert.equal(all.starts.length, 2);
    all.starts[1].broken('404');
    await turn();
    all.realm.end();
  });

  test('that refuses its configuration says so in its own words', async () => {
    const all = realmOn();
    const told = assert.rejects(all.realm.line(), { code: 'internal', message: 'no' });
    await turn();
    all.starts[0].say('ready', 'chat');
    await turn();
    all.starts[0].say('fail', 1, ERROR);
    await told;
  });

  test('that does not start is given up, and a start that is over leaves no timer', async (t) => {
    const slow = realmOn({ startMs: 20 });
    await assert.rejects(slow.realm.line(), { code: 'isolation_failed', message: /does not start/ });
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const all = realmOn();
    const opening = all.realm.line();
    await turn();
    all.starts[0].say('ready', 'chat');
    await turn();
    t.mock.timers.tick(60_000);
    all.starts[0].say('done', 1, null);
    assert.equal(await all.realm.line(), await opening, 'only its start may not take so long');
    all.realm.end();
  });

  test('names a configuration that cannot be cloned', async () => {
    const all = realmOn({ opening: { ...OPENING, config: { fetch: () => undefined } } });
    const told = assert.rejects(all.realm.line(), { code: 'config_invalid' });
    await turn();
    all.starts[0].say('ready', 'chat');
    await told;
  });
});
