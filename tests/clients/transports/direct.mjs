// No gateway: the SDK's own fetch to the stand-in. Says what each SDK does by itself, and that the stand-in is
// understood.

import { CLIENTS, run } from '../run.mjs';
import { startStandIn } from '../stand-in.mjs';

export async function direct() {
  const standIn = await startStandIn();
  return {
    standIn,
    run: (name, { setup, ...task }) =>
      run({ ...task, setup: { origin: standIn.root(CLIENTS[name].provider), apiKey: 'sk-stand-in', ...setup } }),
    stop: () => standIn.stop(),
  };
}
