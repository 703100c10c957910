// One gate for each name in this realm, however often it is opened: React's StrictMode and hot reload open twice.

import { oddIn } from './errors.js';
import type { Gate } from './gate.js';
import { misplaced } from './isolation/place.js';
import type { TidegateConfig } from './types.js';

interface Opened {
  key: string;
  gate: Promise<Gate>;
  /** Closed, or never opened. */
  over: boolean;
  /** What had the name before. */
  known: Opened | undefined;
}

const opened = new Map<string, Opened>();

/** The same settings are the same configuration, in whichever order they were written down. */
const inOrder = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value;

/** The last of those that had the name before which is not over. */
function before(entry: Opened): Opened | undefined {
  while (entry.known?.over) entry.known = entry.known.known;
  return entry.known;
}

/** The gate of `config.name`: the open one if its configuration is the same, else what `make` gives. */
export function openOnce(config: TidegateConfig, make: (forget: () => void) => Promise<Gate>): Promise<Gate> {
  const refuse = (problem: string, path = '') => Promise.reject(misplaced([{ path, problem }]));
  let name: string;
  let key: string;
  try {
    if (typeof config !== 'object' || config === null || Array.isArray(config)) return refuse('must be an object');
    // It has no fields: the gate would be one of all defaults.
    if (config instanceof Promise) return refuse('must be an object: await the promise');
    const odd = oddIn(config);
    if (odd !== undefined) return refuse('must be plain data', odd);
    name = typeof config.name === 'string' ? config.name : 'default';
    key = JSON.stringify({ ...config, name: config.name ?? name }, inOrder);
  } catch {
    return refuse('must be plain data');
  }
  const known = opened.get(name);
  if (known?.key === key) return known.gate;
  const forget = () => {
    entry.over = true;
    if (opened.get(name) === entry) opened.delete(name);
  };
  // A changed configuration (hot reload) takes the place of the old gate once it is open, as another tab would be: ledger
  // and vault are the same. A mistake in it takes nobody's place.
  const gate = Promise.resolve()
    .then(() => make(forget))
    .then(async (own) => {
      for (let old = before(entry); old; old = before(entry)) {
        old.over = true;
        await old.gate.then((gate) => gate.close()).catch(() => undefined);
      }
      return own;
    });
  const entry: Opened = { key, gate, over: false, known };
  opened.set(name, entry);
  gate.catch(() => {
    const old = opened.get(name) === entry && before(entry);
    forget();
    if (old) opened.set(name, old);
  });
  return entry.gate;
}
