// What the tests of streams share: one that is read, with its provider and its scripted end of the boundary.

import assert from 'node:assert/strict';

import { readable } from '../dist/stream.js';
import { decode, resolvers, Scripted, tick, upstream } from './scripted.mjs';

/** A stream with its provider; `account` settles with it. */
export function open(script, signal) {
  const source = upstream();
  const wasm = new Scripted(script);
  const settled = resolvers();
  const stream = readable(wasm, script?.replay ? undefined : source.reader, signal, settled);
  return { source, wasm, stream, reader: stream.getReader(), account: settled.promise };
}

export const text = async (reader) => {
  const { done, value } = await reader.read();
  return done ? undefined : decode(value);
};

/** What every way to the end has in common. */
export async function endedOnce({ wasm, account }, ...told) {
  await account;
  await tick();
  assert.deepEqual(wasm.told, told);
  assert.equal(wasm.freed, 1);
}
