// Inside the worker: the gate as a page would have it, with the Wasm found where the page's bundler put it.

import type * as Later from '../worker-later.js';
import { inTwoParts, once, type Glue, type Platform } from '../platform.js';
import { indexedDbStorage } from '../storage/indexed-db.js';
import { memoryStorage } from '../storage/memory.js';
import { Tidegate } from '../tidegate.js';
import { ledgerOfBrowser } from './place.js';
import type { Opening, Port } from './protocol.js';
import { serve } from './serve.js';

/** A build's glue, before it has its Wasm. */
export type Loader = Partial<Glue> & { initSync(init: { module: WebAssembly.Module }): unknown };

/** The Wasm at an address, compiled as it comes where the server says what it is. */
async function compiled(url: string): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) throw new TypeError(`The gateway is not at ${url}.`);
  return response.headers.get('content-type') === 'application/wasm'
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}

/** A gate in this realm. */
async function openHere(
  glue: Loader,
  { config, join, gateway, rest, kdf, later }: Opening,
  queue?: Platform['queue'],
): Promise<Tidegate> {
  const parts = inTwoParts(
    async () => {
      glue.initSync({ module: await compiled(gateway) });
      return glue as Glue;
    },
    () => rest,
    async () => (await loading()).restGlue,
  );
  // A realm remembers what could not be had by its address: the next try has another.
  let tries = 0;
  const loading = once(() => import(`${later}${tries++ ? `#${tries}` : ''}`) as Promise<typeof Later>);
  const platform: Platform = {
    runtime: 'web',
    ...(queue && { queue }),
    load: () => parts.load(),
    rest: () => parts.rest(),
    broken: () => parts.broken(),
    later: loading,
    async derive(...input) {
      const { loadKdf, runKdf } = await loading();
      return runKdf(await loadKdf(kdf), input);
    },
    noLedger: ledgerOfBrowser,
    open: async (name, ledger, decide) => (ledger === 'memory' ? memoryStorage() : indexedDbStorage(name, decide)),
  };
  return Tidegate.make(platform, config, join === undefined ? {} : { join }, () => undefined);
}

/** Serves the page that started this worker. */
export const serveWorker = (build: string, glue: Loader, queue?: Platform['queue']): void =>
  serve(globalThis as unknown as Port, build, (opening) => openHere(glue, opening, queue));
