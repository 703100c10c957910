// Whole Workers over HTTP, side by side. Benches `worker-cpu`, `worker-p50-ms`, `worker-p99-ms`, `worker-rps` and
// `worker-ttfb-ms`, from one run of interleaved rounds.
import { interleave, remark, summary } from './rounds.mjs';
import { openInWorkerd } from './workerd.mjs';

const EVERY = 4; // a round has a fourth of the requests of the other benches, three times
/**
 * Requests before the first that counts, as many as in the benches in Node and for the same reason: until then the compiler
 * works beside the row, and functions are still to be compiled well. A Worker's isolate lives for hours.
 */
const WARM_UP = 8_000;
const ROUNDS = 3; // for streams, and for what is sent one after the other

const FIGURES = [
  ['worker-cpu', 'µs CPU', ({ cpuUs }) => cpuUs],
  ['worker-p50-ms', 'ms', ({ p50Ms }) => p50Ms],
  ['worker-p99-ms', 'ms', ({ p99Ms }) => p99Ms],
  ['worker-rps', 'requests/s', ({ perSecond }) => perSecond],
  ['worker-ttfb-ms', 'ms', ({ ttfbMs }) => ttfbMs],
];

/** Measures the named rows; resolves to rows of bench.json and remarks. */
export async function workers(names, { rounds, requests }) {
  const { rounds: rows, warms, stop } = await openInWorkerd(names, Math.max(1, Math.round(requests / EVERY)));
  try {
    for (const name of names) {
      await warms[name](WARM_UP);
      for (let warmed = 0; warmed < ROUNDS; warmed += 1) await rows[name]();
    }
    const measured = await interleave(rows, rounds);
    return {
      rows: FIGURES.flatMap(([bench, unit, pick]) =>
        names.map((name) => summary(bench, name, unit, measured[name].samples, pick)),
      ),
      remarks: names.map((name) => remark(`worker, ${name}`, measured[name])).filter(Boolean),
    };
  } finally {
    await stop();
  }
}
