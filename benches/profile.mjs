// Where the time of one request goes: the functions with the most self time, in µs per request.
//   node benches/profile.mjs [chat|cache-hit|sse-event] [row]
// For names of Rust functions build the Wasm with them first: see README.md.
import inspector from 'node:inspector/promises';
import { parseArgs } from 'node:util';
import { EVENTS, instantStream, sseEvent } from './events.mjs';
import { instantFetch } from './requests.mjs';
import * as stacks from './stacks.mjs';

const SHOWN = 40;

const { positionals } = parseArgs({ allowPositionals: true });
const [bench = 'chat', row = 'tidegate'] = positionals;
const streams = bench === 'sse-event';
globalThis.fetch = streams ? instantStream : instantFetch;
const send = await { chat: stacks.chat, 'cache-hit': stacks.cacheHit, 'sse-event': sseEvent }[bench][row]();
const REQUESTS = streams ? 40 : 20_000;
/** What the figures are told of: requests, or events. */
const TOLD = streams ? REQUESTS * EVENTS : REQUESTS;
for (let index = 0; index < REQUESTS; index += 1) await send(index);

const session = new inspector.Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.setSamplingInterval', { interval: 200 });
await session.post('Profiler.start');
for (let index = REQUESTS; index < 2 * REQUESTS; index += 1) await send(index);
const { profile } = await session.post('Profiler.stop');

const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
const selfUs = new Map();
for (const [index, id] of profile.samples.entries()) {
  const { functionName, url, lineNumber } = frames.get(id);
  const place = url ? `${url.split('/').at(-1)}:${lineNumber + 1}` : '';
  const name = `${functionName.replace(/::h[0-9a-f]{16}$/, '') || '(anonymous)'}  ${place}`;
  selfUs.set(name, (selfUs.get(name) ?? 0) + profile.timeDeltas[index]);
}
const total = profile.timeDeltas.reduce((sum, delta) => sum + delta, 0);
console.log(
  `${bench}, ${row}: ${(total / TOLD).toFixed(2)} µs per ${streams ? 'event' : 'request'}, self time of the first ${SHOWN}:`,
);
for (const [name, us] of [...selfUs].sort((a, b) => b[1] - a[1]).slice(0, SHOWN)) {
  console.log(`${(us / TOLD).toFixed(3).padStart(8)}  ${name}`);
}
