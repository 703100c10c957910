// Starts the dedicated worker that runs the gateway.

import { buildFor } from '../build.js';
import type { TidegateConfig } from '../types.js';
import { optimizedHint } from './optimized.js';
import { isolationFailed, type Place } from './place.js';
import type { Heard, Realm } from './remote.js';
import { restarting } from './restarting.js';
import { refuseServiceWorker, serviceWorkerAt } from './service-worker.js';
import { trusted } from './trusted.js';

/** How long a worker may take to load. The Wasm is not in it. */
const START_MS = 30_000;

/** An isolated page starts no worker whose file has not its header. */
const ISOLATED_HINT = " Serve it with the page's Cross-Origin-Embedder-Policy.";
const PUBLISHED_HINT = ' If the app was published anew, reload the page; if not, a bundler left it out.';

/** What a bundler knows: written out where it looks for `new URL`. */
export interface Addresses {
  worker: URL;
  gateway: URL;
  rest: URL;
  kdf: URL;
  later: URL;
}

/** The realm of a gate with this configuration. */
export function workerRealm(
  addresses: Addresses,
  config: TidegateConfig,
  place: Place,
  join: boolean | undefined,
  heard: Heard,
): Realm {
  const url = new URL(place.workerUrl ?? addresses.worker, location.href);
  const { gateway, rest, kdf, later } = addresses;
  const refuses = place.serviceWorker === 'refuse';
  return restarting(
    {
      level: 'worker',
      what: `The worker ${url.href}`,
      hint: optimizedHint(url.pathname) || (crossOriginIsolated ? ISOLATED_HINT : PUBLISHED_HINT),
      startMs: START_MS,
      build: buildFor(config),
      opening: {
        config,
        join,
        gateway: gateway.href,
        rest: rest.href,
        kdf: kdf.href,
        later: later.href,
      },
      async start() {
        checkOrigin(url);
        if (refuses) refuseServiceWorker(await serviceWorkerAt(url.href));
        const worker = create(url);
        return {
          port: worker,
          stop: () => worker.terminate(),
          watch: (broken) => {
            worker.onerror = (event) => {
              event.preventDefault();
              broken(event.message);
            };
          },
        };
      },
      admit: () => (refuses ? serviceWorkerAt(url.href).then(refuseServiceWorker) : undefined),
      serviceWorker: () => serviceWorkerAt(url.href),
    },
    heard,
  );
}

function checkOrigin(url: URL): void {
  if (globalThis.origin === 'null') {
    throw isolationFailed(
      "A page without an origin, such as a sandboxed frame, starts no worker: choose isolation: 'page' and ledger: 'memory'.",
    );
  }
  if (url.origin === location.origin && url.protocol !== 'data:') return;
  throw isolationFailed(
    `A browser starts no worker from ${url.origin}: serve the package's dist/worker.js from ${location.origin} and give ` +
      "its address as workerUrl, or choose isolation: 'page'.",
  );
}

function create(url: URL): Worker {
  if (typeof Worker === 'undefined') {
    throw isolationFailed("There are no workers here: open the gate in a page, or with isolation: 'page'.");
  }
  try {
    return new Worker(trusted(url), { type: 'module', name: 'tidegate' });
  } catch (thrown) {
    throw isolationFailed(
      `The page's policy lets no worker start from ${url.href} (worker-src, trusted-types).`,
      false,
      thrown,
    );
  }
}
