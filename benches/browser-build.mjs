// The small build that browsers load, both of its parts, in Node.
import { readFile } from 'node:fs/promises';
import { config, ready } from './gates.mjs';

/** A gate on it. */
export async function open() {
  const here = import.meta.resolve('tidegate');
  const load = (path) => import(new URL(path, here));
  const wasm = (name) => readFile(new URL(`../wasm/${name}_bg.wasm`, here));
  const [{ openOn }, { extensible, joinRest }, { memoryStorage }, module, rest] = await Promise.all(
    ['open-here.js', 'platform.js', 'storage/memory.js', '../wasm/tidegate.js', '../wasm/tidegate-rest.js'].map(load),
  );
  const glue = extensible(module);
  glue.initSync({ module: await wasm('tidegate') });
  await joinRest(
    glue,
    () => wasm('tidegate-rest'),
    async () => rest,
  );
  const platform = {
    runtime: 'node',
    load: async () => glue,
    later: () => load('later.js'),
    noLedger: () => undefined,
    open: async () => memoryStorage(),
  };
  return ready(await openOn(platform, config('memory')));
}
