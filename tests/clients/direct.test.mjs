// Every client against the stand-in, without a gateway.

import { CLIENTS } from './run.mjs';
import { suite } from './suite.mjs';
import { direct, pythonDirect } from './transports/direct.mjs';
import { hasPython, PYTHON_CLIENTS } from './transports/python.mjs';

suite('direct', CLIENTS, direct);
suite('direct, Python', PYTHON_CLIENTS, pythonDirect, {
  skip: hasPython ? false : 'no venv: scripts/setup.sh clients',
});
