// How a database is opened, kept and given up, with a browser whose every answer is scripted.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connection } from '../dist/storage/connection.js';
import { ended } from '../dist/storage/requests.js';
import { turn } from './realms.mjs';

/** A browser's databases: each opening waits for the test. */
function browser(t) {
  const all = [];
  const { indexedDB } = globalThis;
  t.after(() => (globalThis.indexedDB = indexedDB));
  globalThis.indexedDB = {
    open(...asked) {
      const database = { isOpen: true, objectStoreNames: { contains: (table) => table === 'own' } };
      database.close = () => (database.isOpen = false);
      const request = { asked, database, result: database };
      request.comes = () => request.onsuccess();
      request.fails = (name) => request.onerror(void (request.error = new DOMException('no', name)));
      all.push(request);
      return request;
    },
  };
  return all;
}

const one = (upgrade = () => undefined, tables = ['own']) => connection('name', 3, tables, upgrade);

test('what is open is shared, and opened anew when it was closed, by either side', async (t) => {
  const all = browser(t);
  const made = [];
  const { open, close } = one((fresh) => made.push(fresh));
  const both = [open(), open()];
  assert.deepEqual([all.length, all[0].asked], [1, ['name', 3]]);
  all[0].onupgradeneeded();
  assert.deepEqual(made, [all[0].database]);
  all[0].comes();
  const [first, second] = await Promise.all(both);
  assert.deepEqual([first, second], [all[0].database, first]);
  close();
  await turn();
  assert.equal(first.isOpen, false);
  const third = open();
  all[1].comes();
  await third;
  first.onclose();
  assert.equal(await open(), all[1].database, 'the end of another is not its end');
  all[1].database.onclose();
  const fourth = open();
  all[2].comes();
  assert.equal(await fourth, all[2].database);
  all[2].database.onversionchange();
  assert.equal(all[2].database.isOpen, false, 'it makes way');
  open().catch(() => undefined);
  assert.equal(all.length, 4);
});

test('one that does not open is not kept, and closing it is no failure', async (t) => {
  const all = browser(t);
  const { open, close } = one();
  const failed = assert.rejects(open(), { name: 'UnknownError' });
  all[0].fails('UnknownError');
  await failed;
  const closed = assert.rejects(open(), { name: 'AbortError' });
  close();
  all[1].fails('AbortError');
  await closed;
  await turn();
  assert.equal(all.length, 2);
});

test('one without the tables is somebody else’s', async (t) => {
  const all = browser(t);
  const opening = one(undefined, ['own', 'other']).open();
  all[0].comes();
  await assert.rejects(opening, { code: 'vault_corrupt' });
});

test('one that does not open in time is given up; if it comes late, it stands in nobody’s way', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const all = browser(t);
  const { open, again } = one();
  const told = assert.rejects(again(open), { code: 'internal', message: /Another tab/ });
  for (const ms of [5_000, 5_000, 4_999]) t.mock.timers.tick(ms);
  await turn();
  const late = all[0].onsuccess;
  t.mock.timers.tick(1);
  await told;
  assert.notEqual(all[0].onsuccess, late);
  all[0].comes();
  assert.equal(all[0].database.isOpen, false);
  const next = open();
  all[1].comes();
  await next;
  t.mock.timers.tick(60_000);
  all[1].onsuccess();
  assert.equal(all[1].database.isOpen, true, 'who is in time is not given up');
});

test('what the browser fails at is tried three times, and closed in between', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const all = browser(t);
  const { open, again } = one();
  const opening = open();
  all[0].comes();
  await opening;
  const failures = [];
  const told = assert.rejects(
    again(() => {
      failures.push(all[0].database.isOpen);
      return Promise.reject(new DOMException('no', 'UnknownError'));
    }),
    ({ code, cause, message }) =>
      code === 'internal' && cause.name === 'UnknownError' && /disk may be full/.test(message),
  );
  await turn();
  assert.deepEqual(failures, [true], 'the browser is given time');
  for (let wait = 0; wait < 3; wait += 1, await turn()) t.mock.timers.tick(100);
  await told;
  assert.deepEqual(failures, [true, false, false]);
});

test('what another try would not help is told at once', async () => {
  const { again } = one();
  for (const [failure, code] of [
    [new DOMException('no', 'VersionError'), 'vault_corrupt'],
    [new DOMException('no', 'TimeoutError'), 'internal'],
    [Object.assign(new RangeError('no'), { code: 'mine' }), 'mine'],
  ]) {
    let tries = 0;
    const work = () => {
      tries += 1;
      return Promise.reject(failure);
    };
    await assert.rejects(
      again(work, () => assert.fail('it is tried again')),
      { code },
    );
    assert.equal(tries, 1);
  }
  let failed = 0;
  const work = async () => {
    if (failed === 0) throw new DOMException('no', 'AbortError');
    return 7;
  };
  assert.equal(await again(work, () => (failed += 1)), 7);
});

test('a transaction that aborts says why, if the browser does, and is nobody’s unhandled rejection', async () => {
  for (const [error, name] of [
    [new DOMException('full', 'QuotaExceededError'), 'QuotaExceededError'],
    [null, 'AbortError'],
  ]) {
    const transaction = { error };
    const done = ended(transaction);
    transaction.onabort();
    await turn();
    await assert.rejects(done, { name });
  }
});
