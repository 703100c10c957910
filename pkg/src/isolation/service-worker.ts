// A service worker of the origin sees every fetch of the pages and workers in its scope, with its headers: the keys too.

import { isolationFailed } from './place.js';

const container = () => {
  try {
    return (globalThis as { navigator?: { serviceWorker?: ServiceWorkerContainer } }).navigator?.serviceWorker;
  } catch {
    // A sandboxed frame that may not even ask.
    return undefined;
  }
};

/** Address of the service worker that controls this page; null where there is none, or no page. */
export const serviceWorkerOf = (): string | null => container()?.controller?.scriptURL ?? null;

/**
 * The same for a worker started from `url`: its own scope counts, not only its page's. One that is on its way counts too.
 */
export async function serviceWorkerAt(url: string): Promise<string | null> {
  const own = serviceWorkerOf();
  if (own !== null) return own;
  try {
    const registration = await container()?.getRegistration(url);
    return (registration?.active ?? registration?.waiting ?? registration?.installing)?.scriptURL ?? null;
  } catch {
    // Private modes and sandboxes that refuse to tell have none either.
    return null;
  }
}

/** @throws `isolation_failed`, if there is one and the configuration refuses it. */
export function refuseServiceWorker(found: string | null): void {
  if (found === null) return;
  throw isolationFailed(`A service worker (${found}) would see the requests and their keys, and is refused.`);
}
