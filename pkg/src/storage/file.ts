// A file for the ledger, for Node. Several processes may share it: a lock file keeps decisions apart, and a rename
// after a flush makes each of them whole or not at all. The vault stays in memory.
//
// Nothing tells a process that died from one that sleeps, so a lock may be taken from who wakes up later, at any point.
// That loses no decision: whoever gets the lock first deletes what others were about to publish, and whoever publishes
// makes sure between writing and renaming that the lock is still theirs. So what is renamed was decided on what it replaces.

import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir, readlink, realpath, rename, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { internal, isTidegateError } from '../errors.js';
import type { Decide } from '../platform.js';
import { memoryStorage } from './memory.js';
import type { Storage } from './storage.js';

/** A lock older than this belongs to a process that died or sleeps: a decision takes milliseconds. */
const STALE_MS = 10_000;
const WAIT_MS = 5;
/** A decision that does not get or keep the lock for so long is given up: enough for two that died one after the other. */
const PATIENCE_MS = 30_000;
/** Windows refuses for a moment what a virus scanner or another process looks at. */
const BUSY_MS = 2_000;
/** Of a ledger with every limit at its largest there are a few: what is larger is something else. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_LINKS = 40;
/** How a system or a file system says that a folder cannot be flushed. */
const NO_FLUSH = ['EACCES', 'EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM'];

export function fileStorage(path: string, decide: Decide): Storage {
  // Now: the process may move to another folder.
  const given = resolve(path);
  let found: string | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const ledger = (command: Uint8Array): Promise<Uint8Array> => {
    const turn = last.then(async () => decided((found ??= await or('found', linked(given))), decide, command));
    last = turn.catch(() => undefined);
    return turn;
  };
  return { ...memoryStorage(), kind: 'file', ledger };
}

async function decided(path: string, decide: Decide, command: Uint8Array): Promise<Uint8Array> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const held = await or('locked', taken(`${path}.lock`, until));
    try {
      await or('locked', deleteOthers(path));
      const [snapshot, reply] = decide(await or('read', read(path)), command);
      if (!snapshot || (await or('written', replace(path, snapshot, held)))) return reply;
      // Somebody took this process for dead, and may have decided since: the decision is taken anew.
    } finally {
      await release(`${path}.lock`, held);
    }
  }
}

/** What a symbolic link leads to: a rename would put a file in its place, and who has the other name would see nothing. */
async function linked(path: string): Promise<string> {
  let at = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    const folder = await realpath(dirname(at));
    at = join(folder, basename(at));
    const to = await readlink(at).catch(() => undefined);
    if (to === undefined) return at;
    at = resolve(folder, to);
  }
  throw internal('The ledger file is a link that leads to itself.');
}

async function read(path: string): Promise<Uint8Array | undefined> {
  // Without waiting: opening a pipe would never end. Windows has neither: there `|` takes what is undefined for 0.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const file = await unlessBusy(() => open(path, flags).catch(unless('ENOENT')));
  if (!file) return undefined;
  try {
    const found = await file.stat();
    if (!found.isFile() || found.size > MAX_BYTES) throw internal('The ledger file is no ledger.');
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Whether it was done: not if the lock is somebody else's by now. What it leaves then, who has the lock next deletes. */
async function replace(path: string, bytes: Uint8Array, held: FileHandle): Promise<boolean> {
  // A name of its own: a process that wakes up late must not write into what another is about to publish.
  const next = `${path}.${randomUUID()}.next`;
  const file = await open(next, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  if (!(await isAt(`${path}.lock`, held)) || !(await published(next, path))) return false;
  await flush(dirname(path));
  return true;
}

/** Puts the next ledger into its place; not if who has the lock now has deleted it. */
const published = (next: string, path: string): Promise<true | undefined> =>
  unlessBusy(() => rename(next, path).then(() => true as const)).catch(unless('ENOENT'));

/** Makes a rename outlast a power failure, where the system can: else money that was reserved would be there again. */
async function flush(folder: string): Promise<void> {
  const file = await open(folder).catch(unless(...NO_FLUSH));
  if (!file) return;
  try {
    await file.sync().catch(unless(...NO_FLUSH));
  } finally {
    await file.close();
  }
}

/** Deletes what others who had the lock were about to publish, and what those who died left. */
async function deleteOthers(path: string): Promise<void> {
  const [start, end] = [`${basename(path)}.`, '.next'];
  const length = `${start}${randomUUID()}${end}`.length;
  for (const name of await readdir(dirname(path))) {
    if (name.length !== length || !name.startsWith(start) || !name.endsWith(end)) continue;
    await unlessBusy(() => unlink(join(dirname(path), name)).catch(unless('ENOENT')));
  }
}

/** The lock, once nobody else has it. It stays open while it is held, so that no other file can look like it. */
async function taken(lock: string, until: number): Promise<FileHandle> {
  for (;;) {
    const held = await unlessBusy(() => open(lock, 'wx').catch(unless('EEXIST')));
    if (held) return held;
    if (performance.now() > until) throw internal('The ledger file is locked by another process.');
    // Two who do so at once may take away the lock of who came next: that one decides anew.
    if (await isStale(lock)) await unlessBusy(() => unlink(lock).catch(unless('ENOENT')));
    else await after(WAIT_MS);
  }
}

/** Whether it was made long ago, or by a clock that has been set back since. */
async function isStale(lock: string): Promise<boolean> {
  const found = await lstat(lock).catch(unless('ENOENT'));
  return found !== undefined && Math.abs(Date.now() - found.mtimeMs) > STALE_MS;
}

/** Whether the lock is still the one that is open. */
async function isAt(lock: string, held: FileHandle): Promise<boolean> {
  const there = await lstat(lock, { bigint: true }).catch(unless('ENOENT'));
  return there?.ino === (await held.stat({ bigint: true })).ino;
}

/** A decision stands whatever happens here: a lock that stays turns stale. */
async function release(lock: string, held: FileHandle): Promise<void> {
  const isOurs = await isAt(lock, held).catch(() => false);
  await held.close().catch(() => undefined);
  if (isOurs) await unlessBusy(() => unlink(lock)).catch(() => undefined);
}

/** What a promise gives; what fails is a sentence of ours with its cause. */
const or = <T>(done: string, promise: Promise<T>): Promise<T> =>
  promise.catch((error: unknown) => {
    throw isTidegateError(error) ? error : internal(`The ledger file could not be ${done}.`, error);
  });

/** Nothing for an error of these codes; throws any other. */
const unless =
  (...codes: string[]) =>
  (error: unknown): undefined => {
    if (!has(error, codes)) throw error;
  };

async function unlessBusy<T>(doIt: () => Promise<T>): Promise<T> {
  const until = performance.now() + BUSY_MS;
  for (;;) {
    try {
      return await doIt();
    } catch (error) {
      const isBusy = process.platform === 'win32' && has(error, ['EACCES', 'EBUSY', 'EPERM']);
      if (!isBusy || performance.now() > until) throw error;
      await after(WAIT_MS);
    }
  }
}

const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const has = (error: unknown, codes: string[]) =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));
