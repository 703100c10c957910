// A file system that does what a test wants: processes that sleep before a call, and calls that fail.

import { AsyncLocalStorage } from 'node:async_hooks';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

import { resolvers } from './scripted.mjs';

const running = new AsyncLocalStorage();

/** What one process does: it sleeps before its call of this number, or that one fails. */
export class Process {
  calls = 0;
  names = [];
  #woken = resolvers();
  #slept = resolvers();

  constructor(at, onSleep, code) {
    this.at = at;
    this.onSleep = onSleep;
    this.code = code;
    this.asleep = this.#slept.promise;
    this.wake = this.#woken.resolve;
  }
  run(what) {
    return running.run(this, what);
  }
  /** Before a call. */
  async meets(name) {
    this.names.push(name);
    if (++this.calls !== this.at) return;
    this.failed = name;
    if (this.code) throw Object.assign(new Error(`${this.code}: ${name}`), { code: this.code });
    this.onSleep?.();
    this.#slept.resolve();
    await this.#woken.promise;
  }
}

/**
 * Stands between `node:fs/promises` and its callers until the test is over. `open` counts the handles that are open; `fail`
 * may give the code that a call fails with, by its name and path. Each call is done at once, and nothing is flushed: both take time, and nobody
 * turns the power off.
 */
export function faulty(t) {
  const state = { open: 0, fail: () => undefined };
  const before = async (name, path) => {
    const one = running.getStore();
    await one?.meets(name);
    const code = state.fail(name, path);
    if (code) throw Object.assign(new Error(`${code}: ${name}`), { code });
  };
  const handle = (fd) => ({
    stat: (options) => before('stat').then(() => fs.fstatSync(fd, options)),
    readFile: () => before('readFile').then(() => fs.readFileSync(fd)),
    sync: () => before('sync'),
    async writeFile(bytes) {
      // Half of it is written before the process sleeps, or the disk is full.
      fs.writeSync(fd, bytes, 0, bytes.length >> 1, 0);
      await before('writeFile');
      fs.writeSync(fd, bytes, 0, bytes.length, 0);
    },
    close: () =>
      before('close').finally(() => {
        fs.closeSync(fd);
        state.open -= 1;
      }),
  });
  const real = { ...fs.promises };
  for (const name of ['lstat', 'readdir', 'readlink', 'realpath', 'rename', 'unlink']) {
    fs.promises[name] = (...given) => before(name, given[0]).then(() => fs[`${name}Sync`](...given));
  }
  fs.promises.open = async (...given) => {
    await before('open', given[0]);
    const fd = fs.openSync(...given);
    state.open += 1;
    return handle(fd);
  };
  syncBuiltinESMExports();
  t.after(() => {
    Object.assign(fs.promises, real);
    syncBuiltinESMExports();
  });
  return state;
}
