// The same without a page: no event, error, record, status or log line of the package holds a key or a message.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inspect } from 'node:util';

import { isTidegateError, Tidegate } from 'tidegate';

import { startStandIns } from '../../scripts/stand-ins.mjs';
import { throwAwayKeys } from '../../scripts/demo-worker.mjs';
import { PASSPHRASE } from './support.mjs';

const EVENTS = [
  'attempt-start',
  'attempt-end',
  'wait',
  'circuit-open',
  'circuit-half-open',
  'circuit-closed',
  'budget-threshold',
  'budget-overshoot',
  'request-end',
];
const MESSAGE = 'a message that only its provider may read';

let standIns;
before(async () => {
  standIns = await startStandIns();
});
after(() => standIns?.stop());

const fault = (provider, kind) =>
  fetch(`${standIns.controlUrl}/fault`, { method: 'POST', body: JSON.stringify({ provider, kind }) });

test('events, errors, records, status and log lines carry no key and no message', async (t) => {
  const keys = throwAwayKeys();
  const told = [];
  const tell = (kind, value) => told.push([kind, inspect(value, { depth: 20, showHidden: true, getters: true })]);
  for (const level of ['log', 'info', 'warn', 'error', 'debug']) {
    t.mock.method(console, level, (...values) => tell('log', values));
  }

  const gate = await Tidegate.open({
    name: 'secrets',
    ledger: 'memory',
    debug: true,
    providers: { groq: { baseUrl: standIns.groqUrl }, openrouter: { baseUrl: standIns.openrouterUrl } },
    retry: { baseMs: 1 },
    breaker: { failures: 5, openMs: 100 },
  });
  t.after(() => gate.close());
  const seen = new Set();
  for (const name of EVENTS) {
    gate.on(name, (event) => {
      seen.add(name);
      tell(name, event);
    });
  }

  const codes = new Set();
  const attempt = async (work) => {
    try {
      await work();
    } catch (error) {
      assert.ok(isTidegateError(error), `a typed error, not ${inspect(error)}`);
      codes.add(error.code);
      tell('error', error);
      tell('error', [error.message, error.stack, JSON.stringify(error), error.cause]);
    }
  };
  let asked = 0;
  const ask = (more = {}) =>
    attempt(() =>
      gate.chat({ messages: [{ role: 'user', content: `${MESSAGE} ${(asked += 1)}` }], max_tokens: 64, ...more }),
    );

  await attempt(() => gate.vault.put('groq', keys.groq));
  await gate.vault.create(PASSPHRASE);
  await attempt(() => gate.vault.put('groq', `not a key: ${keys.groq}`));
  await gate.vault.put('groq', keys.groq);
  await gate.vault.put('openrouter', new TextEncoder().encode(keys.openrouter));
  await ask();
  for (const kind of ['fail', 'malformed', 'wrong-key', 'rate-limit']) {
    await fault('groq', kind);
    await fault('openrouter', kind);
    await ask();
    await ask();
  }
  await ask({ messages: `${MESSAGE}, of the wrong type` });
  const stopped = AbortSignal.abort();
  await attempt(() => gate.chat({ messages: [{ role: 'user', content: MESSAGE }] }, { signal: stopped }));
  await gate.vault.lock();
  await ask();
  await attempt(() => gate.vault.unlock(`wrong ${PASSPHRASE}`));
  tell('status', await gate.status());
  tell('budget', await gate.budget.status());
  tell('keys', await gate.vault.list());
  for (const record of await gate.records()) tell('record', record);

  for (const name of ['attempt-start', 'attempt-end', 'wait', 'circuit-open', 'request-end']) {
    assert.ok(seen.has(name), `${name} was raised`);
  }
  assert.ok(codes.has('vault_locked') && codes.has('invalid_request'), [...codes].join());
  for (const secret of [keys.groq, keys.openrouter, PASSPHRASE, MESSAGE]) {
    const found = told.filter(([, text]) => text.includes(secret));
    assert.deepEqual(found, [], 'a secret was told');
  }
});
