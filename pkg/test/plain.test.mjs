// Options, configurations and requests that are no plain data, or have fields that there are not: refused by name.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';

import { Tidegate } from '../dist/node.js';

const fails = () => {
  throw new Error('not now');
};

test('what is no plain data is told with where it is: it would be one of all defaults', async () => {
  const cycle = {};
  cycle.cache = { own: cycle };
  class Limits {
    get maxConcurrent() {
      return 1;
    }
  }
  for (const [config, path] of [
    [{ limits: new Limits() }, 'limits'],
    [{ budget: new Date() }, 'budget'],
    [{ providers: { mine: new URL('https://example.com/') } }, 'providers.mine'],
    [{ targets: [{ provider: 'groq', model: 'one' }, new Map()] }, 'targets.1'],
    [{ targets: new Set() }, 'targets'],
    [{ budget: { limitUsd: 1n } }, 'budget.limitUsd'],
    [{ budget: { thresholds: [80, () => 1] } }, 'budget.thresholds.1'],
    [{ timeouts: Object.defineProperty({}, 'idleMs', { get: fails, enumerable: true }) }, 'timeouts.idleMs'],
    [new (class Config {})(), ''],
    [cycle, 'cache'],
  ]) {
    await assert.rejects(Tidegate.open(config), ({ code, fields }) => {
      assert.deepEqual([code, fields], ['config_invalid', [{ path, problem: 'must be plain data' }]]);
      return true;
    });
  }
  const foreign = runInNewContext(
    "({ name: 'foreign', ledger: 'memory', targets: [{ provider: 'groq', model: 'one' }] })",
  );
  await (await Tidegate.open(foreign)).close();
  await (await Tidegate.open(Object.assign(Object.create(null), { ledger: 'memory' }))).close();
});

test('a request that has no JSON is refused with where', async (t) => {
  const gate = await Tidegate.open({ name: 'no-json', ledger: 'memory' });
  t.after(() => gate.close());
  const messages = [{ role: 'user', content: 7n }];
  await assert.rejects(gate.chat({ messages }), ({ code, fields }) => {
    assert.deepEqual(
      [code, fields],
      ['invalid_request', [{ path: 'messages.0.content', problem: 'must be plain data' }]],
    );
    return true;
  });
});

for (const [options, field] of [
  ['x', 'options'],
  [null, 'options'],
  [{ tennant: 'a' }, 'tennant'],
  [{ constructor: 1 }, 'constructor'],
  [{ tenant: 5 }, 'tenant'],
  [{ tenant: 'a\ud800' }, 'tenant'],
  [{ cache: { namespace: '\udc00' } }, 'cache.namespace'],
  [{ cache: 'skip' }, 'cache'],
  [{ cache: { ttl: 1 } }, 'cache.ttl'],
  [{ cache: { skipRead: 'no' } }, 'cache.skipRead'],
  [{ cache: { ttlMs: '5' } }, 'cache.ttlMs'],
  [{ cache: { ttlMs: -1 } }, 'cache.ttlMs'],
  [{ cache: { ttlMs: NaN } }, 'cache.ttlMs'],
  [{ cache: { namespace: {} } }, 'cache.namespace'],
  [{ signal: new AbortController() }, 'signal'],
  [new Date(), 'options'],
  [new URL('https://example.com/'), 'options'],
  [new (class Options {})(), 'options'],
  [{ cache: new Map([['skipRead', true]]) }, 'cache'],
]) {
  test(`an option that is none is named: ${field} of ${JSON.stringify(options)}`, async (t) => {
    const asked = [];
    const fetch = async () => asked.push(1);
    const gate = await Tidegate.open({ name: 'options', ledger: 'memory' }, { fetch });
    t.after(() => gate.close());
    await gate.vault.putForSession('groq', `gsk_${randomBytes(26).toString('hex')}`);
    const messages = [{ role: 'user', content: 'Hi' }];
    for (const stream of [false, true]) {
      await assert.rejects(gate.chat({ messages, stream }, options), ({ code, fields }) => {
        assert.deepEqual([code, fields?.map(({ path }) => path)], ['invalid_request', [field]]);
        return true;
      });
    }
    assert.deepEqual(asked, []);
  });
}
