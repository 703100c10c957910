// The worker of the build with every dialect; the package ships it as the one file dist/worker-dialects.js.

import { completed, Core, imports, initSync, joined, LedgerDecider, onMissing } from '../wasm/tidegate-dialects.js';
import { serveWorker } from './isolation/worker-realm.js';

const glue = { completed, Core, imports, initSync, joined, LedgerDecider, onMissing };
serveWorker('dialects', glue);
