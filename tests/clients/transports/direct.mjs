// No gateway: the SDK's own fetch to the stand-in. Says what each SDK does by itself, and that the stand-in is
// understood.

import { CLIENTS, run } from '../run.mjs';
import { startStandIn } from '../stand-in.mjs';
import { PYTHON_CLIENTS, startPython } from './python.mjs';

async function opened(clients, perform, end = () => {}) {
  const standIn = await startStandIn();
  return {
    standIn,
    run: (name, { setup, ...task }) =>
      perform({ ...task, setup: { origin: standIn.root(clients[name].provider), apiKey: 'sk-stand-in', ...setup } }),
    async stop() {
      await end();
      await standIn.stop();
    },
  };
}

export const direct = () => opened(CLIENTS, run);

export async function pythonDirect() {
  const python = startPython();
  return opened(PYTHON_CLIENTS, python.run, python.stop);
}
