// Every client against the Worker in workerd, over HTTP.

import { after } from 'node:test';

import { CLIENTS } from './run.mjs';
import { suite } from './suite.mjs';
import { hasPython, PYTHON_CLIENTS } from './transports/python.mjs';
import { inWorkerd } from './transports/worker.mjs';

const worker = await inWorkerd();
after(() => worker.stop());
const opened = async () => ({ ...worker, stop: () => {} });

suite('the Worker', CLIENTS, opened, { gateway: true });
suite('the Worker, Python', PYTHON_CLIENTS, opened, {
  gateway: true,
  skip: hasPython ? false : 'no venv: scripts/setup.sh clients',
});
