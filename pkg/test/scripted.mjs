// A scripted end of the Wasm's boundary: what the streams and `fetch` of the package are tested against.

import { LATE, LENGTH, OTHER, OVER, PART, SAME } from '../dist/boundary.js';

const encode = (text) => new TextEncoder().encode(text);
export const decode = (bytes) => new TextDecoder().decode(bytes);
export const tick = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

export const META = { requestId: 'r1', target: 'groq/m', attempts: 1, cache: 'miss', costNanoUsd: 7 };

/** A provider's body whose chunks are given one by one; `cancelled` counts how often it was hung up. */
export function upstream() {
  let controller;
  const state = { pulls: 0, cancelled: 0 };
  const body = new ReadableStream(
    {
      start: (given) => void (controller = given),
      pull: () => void (state.pulls += 1),
      cancel: () => void (state.cancelled += 1),
    },
    { highWaterMark: 0 },
  );
  return Object.assign(state, {
    reader: body.getReader(),
    send: (text) => controller.enqueue(encode(text)),
    close: () => controller.close(),
    fail: (error = new TypeError('terminated')) => controller.error(error),
  });
}

/**
 * A stream of the Wasm that hands chunks out as they come and is over after `[DONE]`. It keeps what it was told, and
 * throws when it is used after it was freed, as the real one does.
 */
export class Scripted {
  told = [];
  freed = 0;
  leftMs = 60_000;
  rewrite = (text) => text;
  last = {};

  constructor(script = {}) {
    Object.assign(this, script);
  }
  #live() {
    if (this.freed > 0) throw new Error('null pointer passed to rust');
  }
  head() {
    this.#live();
    return this.first === undefined ? undefined : encode(this.first);
  }
  push(chunk) {
    this.#live();
    const text = decode(chunk);
    if (text.includes('[DONE]')) this.over = true;
    const out = this.rewrite(text);
    this.other = out === text || out === undefined ? undefined : encode(out);
    if (this.part) return PART | (this.part << LENGTH);
    const late = (typeof this.leftMs === 'function' ? this.leftMs() : this.leftMs) <= 0;
    return (out === text ? SAME : this.other?.length ? OTHER : 0) | (this.over ? OVER : 0) | (late ? LATE : 0);
  }
  take() {
    this.#live();
    return this.other;
  }
  paused() {}

  timeLeftMs() {
    this.#live();
    return typeof this.leftMs === 'function' ? this.leftMs() : this.leftMs;
  }
  finish(how) {
    this.#live();
    this.told.push(['finish', how]);
    const last = this.last[how];
    const ended = () => (last === undefined ? undefined : encode(last));
    return this.settling ? this.settling.then(ended) : Promise.resolve(ended());
  }
  cancel() {
    this.#live();
    this.told.push(['cancel']);
    return Promise.resolve(this.settling);
  }
  account() {
    this.#live();
    return JSON.stringify({ ...META, told: this.told });
  }
  free() {
    this.#live();
    this.freed += 1;
  }
}

/** `Promise.withResolvers`, which Node 20 does not have. */
export function resolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
