// One gate for each name in this realm, however often it is opened: React's StrictMode and hot reload open twice.

import type { Gate } from './gate.js';
import { misplaced } from './isolation/place.js';
import type { TidegateConfig } from './types.js';

interface Opened {
  key: string;
  gate: Promise<Gate>;
}

const opened = new Map<string, Opened>();

/** The gate of `config.name`: the open one if its configuration is the same, else what `make` gives. */
export function openOnce(config: TidegateConfig, make: (forget: () => void) => Promise<Gate>): Promise<Gate> {
  if (typeof config !== 'object' || config === null) {
    return Promise.reject(misplaced([{ path: '', problem: 'must be an object' }]));
  }
  const name = typeof config.name === 'string' ? config.name : 'default';
  const key = JSON.stringify(config);
  const known = opened.get(name);
  if (known?.key === key) return known.gate;
  const forget = () => opened.get(name) === entry && opened.delete(name);
  // A changed configuration (hot reload) takes the place of the old gate; ledger and vault are the same.
  const closed = known?.gate.then(
    (old) => old.close(),
    () => undefined,
  );
  const entry: Opened = { key, gate: Promise.resolve(closed).then(() => make(forget)) };
  opened.set(name, entry);
  entry.gate.catch(forget);
  return entry.gate;
}
