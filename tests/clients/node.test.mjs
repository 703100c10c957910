// Every client with `gate.fetch` in Node.

import { CLIENTS } from './run.mjs';
import { suite } from './suite.mjs';
import { inNode } from './transports/node.mjs';

suite('gate.fetch in Node', CLIENTS, inNode, { gateway: true });
