// What the tests of two realms share: a line whose other side is scripted.

import assert from 'node:assert/strict';

import { Line } from '../dist/isolation/line.js';

export const ERROR = { code: 'internal', message: 'no', status: 500, shouldRetry: false, attempts: [] };
export const OPENING = { config: {}, join: undefined, gateway: '/a', rest: '/r', kdf: '/b', later: '/l' };
export const turn = () => new Promise(setImmediate);

/** One end of a channel: `sent` is what was sent, `say` is what the other side says. */
export function channel() {
  const sent = [];
  const port = { postMessage: (message) => sent.push(structuredClone(message)), onmessage: null };
  return { port, sent, say: (...data) => port.onmessage({ data }) };
}

/** A line, and what became of it. */
export function lineOn() {
  const state = { ...channel(), events: [], lost: [] };
  state.line = new Line(
    state.port,
    (...event) => state.events.push(event),
    (error) => state.lost.push(error.code),
  );
  return state;
}

/** A call that notes all that it is told. */
export function noting() {
  const told = [];
  const note = (name) => (value, error) => told.push(error ? [name, error.code] : [name, value?.code ?? value]);
  const names = ['done', 'fail', 'begin', 'data', 'end', 'account'];
  return { told, call: Object.fromEntries(names.map((name) => [name, note(name)])) };
}

/** Until something is so. */
export const until = async (met) => {
  for (const began = Date.now(); !met(); await turn()) assert.ok(Date.now() - began < 10_000, String(met));
};
