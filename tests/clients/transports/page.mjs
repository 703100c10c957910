// What the page of transports/chromium.mjs runs: the clients, bundled; the package as it was built, by an import map.

import { Tidegate } from 'tidegate';

import { runThroughGate } from './gates.mjs';

globalThis.runTask = (standIn, task, variant) => runThroughGate(Tidegate, standIn, task, variant);
