// A file for the ledger, for Node. Several processes may share it: a lock file keeps decisions apart, and a rename
// after a flush makes each of them whole or not at all. The vault stays in memory.

import { open, readFile, rename, rm, stat } from 'node:fs/promises';

import { internal } from '../errors.js';
import type { Decide } from '../platform.js';
import { memoryStorage } from './memory.js';
import type { Storage } from './storage.js';

/** A lock older than this belongs to a process that died: a decision takes milliseconds. */
const STALE_MS = 10_000;
const WAIT_MS = 5;

export function fileStorage(path: string, decide: Decide): Storage {
  let last: Promise<unknown> = Promise.resolve();
  const ledger = (command: Uint8Array): Promise<Uint8Array> => {
    const turn = last.then(() =>
      locked(`${path}.lock`, async () => {
        const [snapshot, reply] = decide(await read(path), command);
        if (snapshot) await replace(path, snapshot);
        return reply;
      }),
    );
    last = turn.catch(() => undefined);
    return turn;
  };
  return { ...memoryStorage(), kind: 'file', ledger };
}

async function read(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (has(error, 'ENOENT')) return undefined;
    throw internal('The ledger file could not be read.', error);
  }
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const next = `${path}.next`;
  const file = await open(next, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
}

async function locked<T>(lock: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      await (await open(lock, 'wx')).close();
      break;
    } catch (error) {
      if (!has(error, 'EEXIST')) throw internal('The ledger file could not be locked.', error);
      const since = await stat(lock).then(
        (found) => found.mtimeMs,
        () => Date.now(),
      );
      if (Date.now() - since > STALE_MS) await rm(lock, { force: true });
      else await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

const has = (error: unknown, code: string) => error instanceof Error && 'code' in error && error.code === code;
