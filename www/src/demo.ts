/** What the demo's server says of itself; a deployed app has none. */
export interface Demo {
  providers: Record<string, { baseUrl: string }>;
  /** Gives the stand-ins their faults. */
  controlUrl: string;
  /** Providers that a throw-away key can be had for. */
  keys: string[];
  /** The same gateway as a Worker, if it was started. */
  workerUrl?: string;
}

export type Fault =
  'none' | 'fail' | 'slow' | 'rate-limit' | 'wrong-key' | 'malformed' | 'slow-start' | 'stall' | 'cut' | 'error-event';

const isDemo = (value: unknown): value is Demo => {
  const demo = value as Partial<Demo> | null;
  return (
    typeof demo === 'object' &&
    typeof demo?.controlUrl === 'string' &&
    typeof demo.providers === 'object' &&
    Array.isArray(demo.keys)
  );
};

let asked: Promise<Demo | null> | undefined;

/** Asks once where the stand-ins are; null where this is no demo. */
export const findDemo = (): Promise<Demo | null> =>
  (asked ??= fetch('demo.json')
    .then(async (answer) => {
      // A single-page server answers any path with the page itself.
      const json = answer.ok && answer.headers.get('content-type')?.includes('json');
      const value: unknown = json ? await answer.json() : null;
      return isDemo(value) ? value : null;
    })
    .catch(() => null));

/** A throw-away key, as bytes that the caller wipes. */
export async function demoKey(provider: string): Promise<Uint8Array> {
  const answer = await fetch(`demo-key/${encodeURIComponent(provider)}`);
  if (!answer.ok) throw new Error('The demo has no key for this provider.');
  return new Uint8Array(await answer.arrayBuffer());
}

const isFaults = (value: unknown): value is Record<string, { fault: { kind: Fault } }> =>
  typeof value === 'object' && value !== null;

const faultsOf = async (answer: Response): Promise<Record<string, Fault>> => {
  if (!answer.ok) throw new Error('The stand-ins do not answer. Is the demo still running?');
  const state: unknown = await answer.json();
  if (!isFaults(state)) return {};
  return Object.fromEntries(Object.entries(state).map(([provider, { fault }]) => [provider, fault.kind]));
};

/** The faults in force, by provider. */
export const readFaults = async (demo: Demo) => faultsOf(await fetch(`${demo.controlUrl}/state`));

/** Gives a stand-in a fault, or heals it with `none`. */
export const setFault = async (demo: Demo, provider: string, kind: Fault) =>
  faultsOf(
    await fetch(`${demo.controlUrl}/fault`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ provider, kind }),
    }),
  );
