// A file for the ledger, for Node. Several processes may share it: a lock file keeps decisions apart, and a rename
// after a flush makes each of them whole or not at all. The vault stays in memory.

import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';

import { internal } from '../errors.js';
import type { Decide } from '../platform.js';
import { memoryStorage } from './memory.js';
import type { Storage } from './storage.js';

/** A lock older than this belongs to a process that died or sleeps: a decision takes milliseconds. */
const STALE_MS = 10_000;
const WAIT_MS = 5;

export function fileStorage(path: string, decide: Decide): Storage {
  let last: Promise<unknown> = Promise.resolve();
  const ledger = (command: Uint8Array): Promise<Uint8Array> => {
    const turn = last.then(() => decided(path, decide, command));
    last = turn.catch(() => undefined);
    return turn;
  };
  return { ...memoryStorage(), kind: 'file', ledger };
}

async function decided(path: string, decide: Decide, command: Uint8Array): Promise<Uint8Array> {
  const lock = `${path}.lock`;
  for (;;) {
    const held = await taken(lock);
    try {
      const [snapshot, reply] = decide(await read(path), command);
      if (!snapshot || (await replace(path, snapshot, () => isAt(lock, held)))) return reply;
      // Somebody took this process for dead, and may have decided since: the decision is taken anew.
    } finally {
      const isOurs = await isAt(lock, held);
      await held.close();
      if (isOurs) await rm(lock, { force: true });
    }
  }
}

async function read(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (has(error, 'ENOENT')) return undefined;
    throw internal('The ledger file could not be read.', error);
  }
}

/** Whether it was done: not if the lock is somebody else's by now. */
async function replace(path: string, bytes: Uint8Array, isOurs: () => Promise<boolean>): Promise<boolean> {
  // A name of its own: a process that wakes up late must not write into what another is about to publish.
  const next = `${path}.${randomUUID()}.next`;
  try {
    const file = await open(next, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    if (!(await isOurs())) return false;
    await rename(next, path);
    return true;
  } finally {
    await rm(next, { force: true });
  }
}

/** The lock, once nobody else has it. It stays open while it is held, so that no other file can look like it. */
async function taken(lock: string): Promise<FileHandle> {
  for (;;) {
    const held = await created(lock);
    if (held) return held;
    if (await isStale(lock)) await removeStale(lock);
    else await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  }
}

/**
 * Takes a dead process's lock away. One process does so at a time, and looks again: whoever only looked before another
 * took it away would take away the lock of who came next.
 */
async function removeStale(lock: string): Promise<void> {
  const turn = `${lock}.stale`;
  const held = await created(turn);
  if (!held) {
    if (await isStale(turn)) await rm(turn, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    return;
  }
  try {
    if (await isStale(lock)) await rm(lock, { force: true });
  } finally {
    await held.close();
    await rm(turn, { force: true });
  }
}

/** A new file; nothing if there is one. */
async function created(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'wx');
  } catch (error) {
    if (has(error, 'EEXIST')) return undefined;
    throw internal('The ledger file could not be locked.', error);
  }
}

/** Whether it was made long ago, or by a clock that has been set back since. */
async function isStale(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Math.abs(Date.now() - found.mtimeMs) > STALE_MS;
}

/** Whether the file at this path is the one that is open. */
async function isAt(path: string, file: FileHandle): Promise<boolean> {
  const [there, open] = await Promise.all([
    stat(path, { bigint: true }).catch(() => undefined),
    file.stat({ bigint: true }),
  ]);
  return there?.ino === open.ino && there.dev === open.dev;
}

const has = (error: unknown, code: string) => error instanceof Error && 'code' in error && error.code === code;
