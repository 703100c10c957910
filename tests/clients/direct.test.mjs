// Every client against the stand-in, without a gateway.

import { CLIENTS } from './run.mjs';
import { suite } from './suite.mjs';
import { direct } from './transports/direct.mjs';

suite('direct', CLIENTS, direct);
