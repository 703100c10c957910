// Every client with `gate.fetch` in a page of Chromium.

import { CLIENTS } from './run.mjs';
import { suite } from './suite.mjs';
import { inChromium } from './transports/chromium.mjs';

suite('gate.fetch in Chromium', CLIENTS, inChromium, { gateway: true });
