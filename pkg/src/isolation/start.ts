// Starts the dedicated worker that runs the gateway, and starts it anew when it was lost.

import { needsAll } from '../build.js';
import type { TidegateConfig } from '../types.js';
import { crashed, Line } from './line.js';
import { isolationFailed, type Place } from './place.js';
import type { Opening } from './protocol.js';
import type { Heard, Realm } from './remote.js';
import { refuseServiceWorker, serviceWorkerAt } from './service-worker.js';
import { trusted } from './trusted.js';

/** How long a worker may take to load. The Wasm is not in it. */
const START_MS = 30_000;
/** A worker that lived so long has not failed at its start. */
const SETTLED_MS = 1_000;

/** What a bundler knows: written out where it looks for `new URL`. */
export interface Addresses {
  worker: URL;
  gateway: URL;
  kdf: URL;
}

/** The realm of a gate with this configuration; nothing is started before its first `line`. */
export function workerRealm(
  addresses: Addresses,
  config: TidegateConfig,
  place: Place,
  join: boolean | undefined,
  heard: Heard,
): Realm {
  const url = new URL(place.workerUrl ?? addresses.worker, location.href);
  const opening: Opening = { config, join, gateway: addresses.gateway.href, kdf: addresses.kdf.href };
  const build = needsAll(config) ? 'all' : 'chat';
  let worker: Worker | undefined;
  let current: Promise<Line> | undefined;
  let ended = false;

  const begin = async (): Promise<Line> => {
    checkOrigin(url);
    if (place.serviceWorker === 'refuse') refuseServiceWorker(await serviceWorkerAt(url.href));
    const started = create(url);
    worker = started;
    const line = new Line(started, heard.event, () => {
      started.terminate();
      if (worker !== started) return;
      current = undefined;
      // At once, so that its events go on. One that fails at its start, or right after, waits for whoever asks next.
      if (!ended && performance.now() - openedAt > SETTLED_MS) void realm.line().catch(() => undefined);
    });
    let openedAt = Infinity;
    started.onerror = (event) => {
      event.preventDefault();
      const failed = () => isolationFailed(`The worker ${url.href} could not be started.`, false, event.message);
      line.lose(openedAt < Infinity ? crashed(event.message) : failed());
    };
    const timer = setTimeout(() => line.lose(isolationFailed(`The worker ${url.href} does not start.`)), START_MS);
    try {
      const found = await line.ready;
      clearTimeout(timer);
      if (found !== build) throw isolationFailed(`workerUrl is a worker for dialects '${found}', not '${build}'.`);
      await line.call((id) => line.send(['open', id, opening]));
      openedAt = performance.now();
      for (const name of heard.names()) line.send(['listen', name, true]);
      return line;
    } catch (error) {
      line.close();
      started.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };

  const realm: Realm = {
    level: 'worker',
    line() {
      if (ended) return Promise.reject(isolationFailed('The gate was closed.'));
      if (!current) {
        const opened = begin();
        current = opened;
        opened.catch(() => {
          if (current === opened) current = undefined;
        });
      }
      return current;
    },
    admit: () => (place.serviceWorker === 'refuse' ? serviceWorkerAt(url.href).then(refuseServiceWorker) : undefined),
    serviceWorker: () => serviceWorkerAt(url.href),
    end() {
      ended = true;
      void current?.then((line) => line.close()).catch(() => undefined);
      current = undefined;
      worker?.terminate();
    },
  };
  return realm;
}

function checkOrigin(url: URL): void {
  if (url.origin === location.origin && url.protocol !== 'data:') return;
  throw isolationFailed(
    `A browser starts no worker from ${url.origin}: serve the package's dist/worker.js from ${location.origin} and give ` +
      "its address as workerUrl, or choose isolation: 'page'.",
  );
}

function create(url: URL): Worker {
  if (typeof Worker === 'undefined') {
    throw isolationFailed("There are no workers here: choose isolation: 'page'.");
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
