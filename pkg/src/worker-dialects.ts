// The worker of the build with every dialect; the package ships it as the one file dist/worker-dialects.js.

import * as glue from '../wasm/tidegate-dialects.js';
import { serveWorker } from './isolation/worker-realm.js';

serveWorker('dialects', glue);
