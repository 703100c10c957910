// The gates that rows open: everything on, and a budget that never refuses.
import { KEY } from './requests.mjs';

export async function ready(gate) {
  await gate.vault.putForSession('groq', KEY);
  return gate;
}

export const config = (ledger) => ({ name: 'bench', ledger, isolation: 'page', budget: { limitUsd: 1_000_000 } });

/** As an app opens it where it runs: in Node that is the build for speed. */
export async function gate(ledger) {
  const { Tidegate } = await import('tidegate');
  return ready(await Tidegate.open(config(ledger)));
}

// Not by name: this file is bundled for browsers, too, and that one reads files.
const IN_NODE = './browser-build.mjs';

/** The small build that browsers load, both of its parts, in Node: what its size costs in time. */
export async function browserBuildGate() {
  const { open } = await import(/* @vite-ignore */ IN_NODE);
  return open();
}
