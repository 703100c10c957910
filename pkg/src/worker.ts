// The worker of the small build; the package ships it as the one file dist/worker.js.

import * as glue from '../wasm/tidegate.js';
import { serveWorker } from './isolation/worker-realm.js';

serveWorker('chat', glue);
