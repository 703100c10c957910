// CPU and wall time of one request in Node, or of one event of a stream: benches `chat`, `cache-hit`, `sse-event`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { EVENTS } from './events.mjs';
import { interleave, remark, summary } from './rounds.mjs';

// A hit is so short that a round needs more of them to be longer than the kernel's ticks; a stream is long, and what is
// told of it is the share of one event.
const OPTIONS = {
  chat: { stacks: 'chat', times: 1, parts: 1 },
  'cache-hit': { stacks: 'cacheHit', times: 10, parts: 1 },
  'sse-event': { stacks: 'sseEvent', times: 1 / 200, parts: EVENTS },
};
/** Rounds before the first that counts: the optimising compiler is done with most code after 15,000 requests. */
const WARM_UP = 8;

async function start(stacks, row) {
  const child = fork(new URL('row.mjs', import.meta.url), [stacks, row]);
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the process of row ${row} ended with ${code}`);
  });
  failed.catch(() => {}); // heard through the race below, also when it comes between rounds
  const reply = () => Promise.race([once(child, 'message').then(([message]) => message), failed]);
  await reply();
  const round = (count) => {
    const answered = reply();
    child.send(count);
    return answered;
  };
  return { round, stop: () => child.disconnect() };
}

/** Measures `bench` for the named rows; resolves to rows of bench.json and remarks. */
export async function cpu(bench, names, { rounds, requests }) {
  const { stacks, times, parts } = OPTIONS[bench];
  const count = Math.max(1, Math.round(requests * times));
  const children = {};
  try {
    for (const name of names) {
      children[name] = await start(stacks, name);
      await children[name].round(count * WARM_UP);
    }
    const rounded = Object.fromEntries(names.map((name) => [name, () => children[name].round(count)]));
    const measured = await interleave(rounded, rounds);
    const rows = (suffix, unit, pick) =>
      names.map((name) =>
        summary(bench + suffix, name, unit, measured[name].samples, (sample) => pick(sample) / parts),
      );
    return {
      rows: [...rows('', 'µs CPU', ({ cpuUs }) => cpuUs), ...rows('-wall', 'µs', ({ wallUs }) => wallUs)],
      remarks: names.map((name) => remark(`${bench}, ${name}`, measured[name])).filter(Boolean),
    };
  } finally {
    for (const child of Object.values(children)) child.stop();
  }
}
