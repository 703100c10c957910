// `gate.fetch` in Node.

import { Tidegate } from 'tidegate';

import { startStandIn } from '../stand-in.mjs';
import { closeGates, runThroughGate } from './gates.mjs';

export async function inNode() {
  const standIn = await startStandIn();
  return {
    standIn,
    run: (name, task, variant) => runThroughGate(Tidegate, standIn.url, task, variant),
    async stop() {
      await closeGates();
      await standIn.stop();
    },
  };
}
