// The worker of the small build; the package ships it as the one file dist/worker.js.

import { completed, Core, imports, initSync, joined, LedgerDecider, onMissing } from '../wasm/tidegate.js';
import { serveWorker } from './isolation/worker-realm.js';

// By name: with the module as a whole its own loader would come along.
const glue = { completed, Core, imports, initSync, joined, LedgerDecider, onMissing };
serveWorker('chat', glue);
