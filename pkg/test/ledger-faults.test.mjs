// What the ledger's file outlives: a process that stops or sleeps at any call to the system, calls that fail, and what
// else lies in its place. A process that stops is one whose next call never returns.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';

import { faulty, Process } from './faulty-files.mjs';
import { fileStorage } from '../dist/storage/file.js';

function place(t) {
  const folder = fs.mkdtempSync(join(tmpdir(), 'tidegate-ledger-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'ledger');
}

const NONE = new Uint8Array();

/** A ledger that counts its decisions, and refuses what is no count. */
const counter = (path) =>
  fileStorage(path, (bytes) => {
    if (bytes && !/^#\d+;$/.test(String(Buffer.from(bytes)))) throw new RangeError(`torn: ${Buffer.from(bytes)}`);
    return [Buffer.from(`#${count(bytes) + 1};`), NONE];
  }).ledger;

const count = (bytes) => Number(String(Buffer.from(bytes ?? '#0;')).slice(1, -1));
const counted = (path) => (fs.existsSync(path) ? count(fs.readFileSync(path)) : 0);
const beside = (path) => fs.readdirSync(dirname(path)).filter((name) => name !== basename(path));

/** One decision of a process that sleeps before its call of this number. */
const decide = (path, sleepsAt) => {
  const one = new Process(sleepsAt, () => {
    // As old as if it had slept for long.
    if (fs.existsSync(`${path}.lock`)) fs.utimesSync(`${path}.lock`, 1, 1);
  });
  one.done = one.run(() => counter(path)(NONE)).then(() => (one.isDone = true));
  return one;
};

/** How many calls one decision takes. */
async function calls(t) {
  const path = place(t);
  await decide(path).done;
  const one = decide(path);
  await one.done;
  return one.calls;
}

test('a process that stops at any call leaves the old ledger or the new one, and what it was told stands', async (t) => {
  faulty(t);
  const all = await calls(t);
  assert.ok(all > 10, `${all} calls`);
  for (let at = 1; at <= all; at++) {
    const path = place(t);
    await decide(path).done;
    const stopped = decide(path, at);
    await stopped.asleep;
    const left = counted(path);
    assert.ok(left === 1 || left === 2, `${left} before call ${at}`);
    await decide(path).done;
    assert.equal(counted(path), left + 1, `before call ${at}`);
    assert.deepEqual(beside(path), [], `before call ${at}`);
    stopped.wake(); // only so that its files are closed
    await stopped.done;
  }
});

test('who sleeps at any call, and wakes up when others have decided, takes no decision back', async (t) => {
  faulty(t);
  const all = await calls(t);
  for (let first = 1; first <= all; first++) {
    // Of the pairs a third: every call with every third.
    for (let second = 1 + (first % 3); second <= all; second += 3) {
      const path = place(t);
      await decide(path).done;
      const one = decide(path, first);
      await one.asleep;
      const other = decide(path, second);
      await other.asleep;
      await decide(path).done;
      for (const sleeping of (first + second) % 2 ? [one, other] : [other, one]) {
        sleeping.wake();
        await sleeping.done;
      }
      await decide(path).done;
      assert.equal(counted(path), 5, `before calls ${first} and ${second}`);
      assert.deepEqual(beside(path), [], `before calls ${first} and ${second}`);
    }
  }
});

for (const code of ['ENOSPC', 'EROFS', 'EACCES', 'EIO']) {
  test(`${code} at any call refuses, or changes nothing that was told; the next decision is taken`, async (t) => {
    const files = faulty(t);
    const all = await calls(t);
    let refused = 0;
    for (let at = 1; at <= all; at++) {
      const path = place(t);
      await decide(path).done;
      const one = new Process(at, undefined, code);
      const failed = await one.run(() => counter(path)(NONE)).catch((error) => error);
      const left = counted(path);
      if (failed instanceof Error) {
        refused += 1;
        assert.equal(failed.code, 'internal', `${one.failed}: ${failed.stack}`);
        assert.equal(failed.cause.code, code);
        assert.ok(left === 1 || left === 2, `${left} after ${one.failed}`);
      } else {
        assert.equal(left, 2, `after ${one.failed}`);
      }
      if (fs.existsSync(`${path}.lock`)) fs.utimesSync(`${path}.lock`, 1, 1);
      await decide(path).done;
      assert.equal(counted(path), left + 1, `after ${one.failed}`);
      assert.deepEqual(beside(path), [], `after ${one.failed}`);
      assert.equal(files.open, 0, `open after ${one.failed}`);
    }
    assert.ok(refused > 8, `${refused} refused`);
  });
}

test('a ledger is flushed before it is in its place, and its folder before anyone is told', async (t) => {
  faulty(t);
  const one = decide(place(t));
  await one.done;
  const order = one.names.filter((name) => ['writeFile', 'sync', 'rename'].includes(name));
  assert.deepEqual(order, ['writeFile', 'sync', 'rename', 'sync']);
});

test('decisions of a gate are taken in their order, also after one that fails', async (t) => {
  const path = place(t);
  const taken = [];
  const { ledger } = fileStorage(path, (_, [command]) => {
    taken.push(command);
    if (command === 3) throw new RangeError('no');
    return [Buffer.from('#1;'), NONE];
  });
  const all = Array.from({ length: 12 }, (_, command) => ledger(Uint8Array.of(command)));
  const failed = (await Promise.allSettled(all)).map(({ status }) => status === 'rejected');
  assert.deepEqual([taken, failed.indexOf(true), failed.lastIndexOf(true)], [[...all.keys()], 3, 3]);
});

test('a folder that cannot be flushed is none that fails', async (t) => {
  const files = faulty(t);
  for (const code of ['EACCES', 'EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM']) {
    const path = place(t);
    let synced = 0;
    files.fail = (name) => (name === 'sync' && ++synced % 2 === 0 ? code : undefined);
    await decide(path).done;
    files.fail = (name, asked) => (name === 'open' && asked === dirname(path) ? code : undefined);
    await decide(path).done;
    assert.equal(counted(path), 2);
  }
  let synced = 0;
  files.fail = (name) => (name === 'sync' && ++synced === 2 ? 'EIO' : undefined);
  await assert.rejects(decide(place(t)).done, { code: 'internal' }, 'one that fails is told');
});

test('what another was about to publish is deleted, or nothing is decided', async (t) => {
  const files = faulty(t);
  const path = place(t);
  fs.writeFileSync(`${path}.00000000-0000-4000-8000-000000000000.next`, '#9;');
  files.fail = (name, asked) => (name === 'unlink' && asked.endsWith('.next') ? 'EACCES' : undefined);
  await assert.rejects(decide(path).done, { code: 'internal' });
  assert.equal(counted(path), 0);
  files.fail = () => undefined;
  await decide(path).done;
  assert.equal(counted(path), 1);
  assert.deepEqual(beside(path), []);
});

test('a lock that is held is waited for, not taken and not asked for without end', async (t) => {
  faulty(t);
  const path = place(t);
  const one = new Process(6, () => undefined);
  const decided = one.run(() => counter(path)(NONE));
  await one.asleep;
  const other = decide(path);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(counted(path), 0);
  one.wake();
  await Promise.all([decided, other.done]);
  assert.equal(counted(path), 2);
  assert.ok(other.calls < 60, `${other.calls} calls`);
});

test('what Windows refuses for a moment is tried again there, and nowhere else', async (t) => {
  const files = faulty(t);
  const own = process.platform;
  t.after(() => Object.defineProperty(process, 'platform', { value: own }));
  for (const code of ['EACCES', 'EBUSY', 'EPERM']) {
    for (const call of ['open', 'rename', 'unlink']) {
      for (const platform of ['win32', 'linux']) {
        Object.defineProperty(process, 'platform', { value: platform });
        const path = place(t);
        // What one left that died.
        for (const name of [`${path}.00000000-0000-4000-8000-000000000000.next`, `${path}.lock`]) {
          if (call === 'unlink') fs.utimesSync(name, 1, 1, fs.writeFileSync(name, ''));
        }
        let [at, left] = ['', 0];
        files.fail = (name, asked) => {
          // A new file and a folder are nobody else's.
          if (name !== call || (call === 'open' && asked !== path && asked !== `${path}.lock`)) return undefined;
          // Each of them three times.
          if (asked !== at) [at, left] = [asked, 3];
          return left-- > 0 ? code : undefined;
        };
        const failed = await decide(path).done.catch((error) => error);
        const isRefused = platform !== 'win32';
        assert.equal(failed?.code, isRefused ? 'internal' : undefined, `${call} ${code} ${platform}`);
        assert.equal(counted(path), isRefused ? 0 : 1);
        if (platform === 'win32') assert.deepEqual(beside(path), [], `${call} ${code}`);
      }
    }
  }
});

test('what Windows refuses for long is an error', async (t) => {
  const files = faulty(t);
  const own = process.platform;
  t.after(() => Object.defineProperty(process, 'platform', { value: own }));
  Object.defineProperty(process, 'platform', { value: 'win32' });
  const path = place(t);
  let asked = 0;
  files.fail = (name) => (name === 'rename' && ++asked ? 'EBUSY' : undefined);
  const now = performance.now();
  t.mock.method(performance, 'now', () => now + 250 * asked);
  await assert.rejects(decide(path).done, { code: 'internal' });
  assert.ok(asked > 4 && asked < 20, `${asked} times`);
});

test('a link is followed, wherever it leads: two names of a ledger are one ledger', async (t) => {
  const path = place(t);
  const [folder, link, far] = [`${path}s`, `${path}.link`, `${path}.far`];
  fs.mkdirSync(folder);
  fs.symlinkSync(join('ledgers', '..', 'ledgers', 'real'), link);
  fs.symlinkSync('ledger.link', far);
  const [byLink, byFar, byName] = [counter(link), counter(far), counter(join(folder, 'real'))];
  await byLink(NONE);
  await Promise.all([byName(NONE), byLink(NONE), byFar(NONE)]);
  assert.ok(fs.lstatSync(link).isSymbolicLink());
  assert.equal(counted(join(folder, 'real')), 4);
  assert.deepEqual(fs.readdirSync(folder), ['real']);
});

test('a link beside a folder that is reached by a link leads to where the system says', async (t) => {
  const path = place(t);
  fs.mkdirSync(`${path}s/deep`, { recursive: true });
  fs.symlinkSync(`${path}s/deep`, `${path}.alias`);
  fs.symlinkSync('../real', `${path}s/deep/link`);
  await counter(`${path}.alias/link`)(NONE);
  assert.equal(counted(`${path}s/real`), 1);
});

test('the ledger stays where it was when a link to its folder leads elsewhere', async (t) => {
  const path = place(t);
  for (const folder of ['one', 'two']) fs.mkdirSync(`${path}.${folder}`);
  fs.symlinkSync(`${path}.one`, `${path}.alias`);
  const ledger = counter(`${path}.alias/ledger`);
  await ledger(NONE);
  fs.unlinkSync(`${path}.alias`);
  fs.symlinkSync(`${path}.two`, `${path}.alias`);
  await ledger(NONE);
  assert.deepEqual([counted(`${path}.one/ledger`), counted(`${path}.two/ledger`)], [2, 0]);
});

test('the ledger stays where it was when the process moves', async (t) => {
  const path = place(t);
  const own = process.cwd();
  t.after(() => process.chdir(own));
  process.chdir(dirname(path));
  const ledger = counter('ledger');
  process.chdir(own);
  await ledger(NONE);
  assert.equal(counted(path), 1);
});

test('what is no ledger is refused, and left as it is', async (t) => {
  const makes = {
    'a folder': (path) => fs.mkdirSync(path),
    'a link to itself': (path) => fs.symlinkSync('ledger', path),
    'a pipe that nobody writes to': (path) => execFileSync('mkfifo', [path]),
    'a file of 65 MB': (path) => fs.truncateSync(path, 65 * 1024 * 1024, fs.writeFileSync(path, '')),
    'a file of 3 GB': (path) => fs.truncateSync(path, 3 * 1024 ** 3, fs.writeFileSync(path, '')),
    'a lock that is a folder': (path) => fs.utimesSync(`${path}.lock`, 1, 1, fs.mkdirSync(`${path}.lock`)),
  };
  for (const [what, make] of Object.entries(makes)) {
    if (process.platform === 'win32' && /link|pipe/.test(what)) continue;
    const path = place(t);
    make(path);
    const found = fs.lstatSync(path, { throwIfNoEntry: false });
    const message = what === 'a link to itself' ? /leads to itself/ : /^The ledger file /;
    await assert.rejects(counter(path)(NONE), { code: 'internal', message }, what);
    const { atimeMs: _, atime: __, ...left } = fs.lstatSync(path, { throwIfNoEntry: false }) ?? {};
    const { atimeMs: ___, atime: ____, ...was } = found ?? {};
    assert.deepEqual(left, was, what);
  }
});

test('a lock that is a link to nowhere turns stale like any other', async (t) => {
  const path = place(t);
  fs.symlinkSync('nowhere', `${path}.lock`);
  fs.lutimesSync(`${path}.lock`, 1, 1);
  await counter(path)(NONE);
  assert.equal(counted(path), 1);
  assert.deepEqual(beside(path), []);
});

test('a lock that does not go away ends in an error', async (t) => {
  const path = place(t);
  fs.writeFileSync(`${path}.lock`, '');
  const now = performance.now();
  let waited = 0;
  t.mock.method(performance, 'now', () => now + 10_000 * waited++);
  await assert.rejects(counter(path)(NONE), { code: 'internal', message: /locked by another process/ });
  assert.ok(fs.existsSync(`${path}.lock`));
});

test("another ledger's files beside it are left alone", async (t) => {
  const path = place(t);
  const id = '00000000-0000-4000-8000-000000000000';
  const names = [`ledger.json.${id}.next`, `ledgee.${id}.next`, `ledger.${id}.text`, 'ledger.next', 'notes'];
  for (const name of names) fs.writeFileSync(join(dirname(path), name), '');
  await counter(path)(NONE);
  assert.deepEqual(beside(path).sort(), names.sort());
});
