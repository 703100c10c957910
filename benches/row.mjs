// A process of its own for one row: it runs a round when told to and says what the round took.
// Apart, because in one process the garbage of one row is collected in the time of another.
import { DONE, instantStream, sseEvent } from './events.mjs';
import { instantFetch, TEXT } from './requests.mjs';
import * as stacks from './stacks.mjs';

const [bench, row] = process.argv.slice(2);
const streams = bench === 'sseEvent';
globalThis.fetch = streams ? instantStream : instantFetch;
const expected = streams ? DONE : TEXT;
const send = await { ...stacks, sseEvent }[bench][row]();
let index = 0;

process.on('message', async (count) => {
  // No forced collection before the round: it throws compiled code away too and doubles what follows.
  const cpuBefore = process.cpuUsage();
  const wallBefore = performance.now();
  for (let sent = 0; sent < count; sent += 1) {
    const text = await send(index);
    if (text !== expected) throw new Error(`${row} answered ${String(text).slice(0, 80)}`);
    index += 1;
  }
  const wallMs = performance.now() - wallBefore;
  const { user, system } = process.cpuUsage(cpuBefore);
  process.send({ cpuUs: (user + system) / count, wallUs: (wallMs * 1000) / count, cpuMs: (user + system) / 1000 });
});
process.send('ready');
