// A gate on a storage of the test's, as a process or as one of several tabs.

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { runKdf } from '../dist/kdf.js';
import { makeHere } from '../dist/open-here.js';
import { extensible, joinRest } from '../dist/platform.js';
import * as module from '../wasm/tidegate.js';
import * as restGlue from '../wasm/tidegate-rest.js';
import { answer } from './support.mjs';

const wasm = (name) => readFile(new URL(`../wasm/${name}_bg.wasm`, import.meta.url));
const kdf = await WebAssembly.compile(await wasm('kdf'));
/** The small build, whole. */
export const glue = extensible(module);
glue.initSync({ module: await wasm('tidegate') });
await joinRest(
  glue,
  () => wasm('tidegate-rest'),
  async () => restGlue,
);

/** What a passphrase comes down to. */
export const derived = async (...input) => runKdf(kdf, input);

/** `runtime` web: a tab, which hears those of the same `name`. `core` is its end of the Wasm, `own` what of its platform is the test's. */
export async function openOn(
  t,
  storage,
  { derive = derived, runtime = 'node', name = randomUUID(), ...more } = {},
  own = {},
) {
  const sent = [];
  let core;
  class Core extends glue.Core {
    constructor(...made) {
      super(...made);
      core = this;
    }
  }
  const platform = {
    runtime,
    load: () => Promise.resolve({ ...glue, Core }),
    later: () => import('../dist/later.js'),
    derive,
    noLedger: () => undefined,
    open: () => Promise.resolve(storage),
    ...own,
  };
  const config = { name, targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }], ...more };
  const fetch = async (_url, init) => {
    sent.push(new Headers(init.headers).get('authorization'));
    return answer();
  };
  const gate = await makeHere(platform, config, { fetch }, () => undefined);
  t.after(() => gate.close());
  return { gate, vault: gate.vault, sent, core };
}

/** A way in without a slow KDF. */
export const passkey = (fill = 3) => ({
  kind: 'passkey',
  credential: new Uint8Array(20).fill(1),
  salt: new Uint8Array(16).fill(2),
  prf: new Uint8Array(32).fill(fill),
});
