// The gates that rows open: everything on, and a budget that never refuses.
import { readFile } from 'node:fs/promises';
import { KEY } from './requests.mjs';

async function ready(gate) {
  await gate.vault.putForSession('groq', KEY);
  return gate;
}

const config = (ledger) => ({ name: 'bench', ledger, isolation: 'page', budget: { limitUsd: 1_000_000 } });

/** As an app opens it where it runs: in Node that is the build for speed. */
export async function gate(ledger) {
  const { Tidegate } = await import('tidegate');
  return ready(await Tidegate.open(config(ledger)));
}

/** The small build that browsers load, both of its parts, in Node: what its size costs in time. */
export async function browserBuildGate() {
  const here = import.meta.resolve('tidegate');
  const load = (path) => import(new URL(path, here));
  const wasm = (name) => readFile(new URL(`../wasm/${name}_bg.wasm`, here));
  const [{ Tidegate }, { joinRest }, { memoryStorage }, glue] = await Promise.all(
    ['tidegate.js', 'platform.js', 'storage/memory.js', '../wasm/tidegate.js'].map(load),
  );
  glue.initSync({ module: await wasm('tidegate') });
  await joinRest(glue, () => wasm('tidegate-rest'));
  const platform = {
    runtime: 'node',
    load: async () => glue,
    later: () => load('later.js'),
    open: async () => memoryStorage(),
  };
  return ready(await Tidegate.openOn(platform, config('memory')));
}
