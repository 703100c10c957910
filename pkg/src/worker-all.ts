// The worker of the build with every dialect and the queue; the package ships it as the one file dist/worker-all.js.

import * as glue from '../wasm/tidegate-all.js';
import { serveWorker } from './isolation/worker-realm.js';

serveWorker('all', glue, () => import('./queue/tab.js'));
