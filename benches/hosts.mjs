// The whole gateway where it runs for users: in a page with the ledger that tabs share, in a Worker with its object.
// Benches `chat-hosts` and `chat-hosts-wall`, from one run of interleaved rounds.
import { openInChromium } from './chromium.mjs';
import { interleave, remark, summary } from './rounds.mjs';
import { openInWorkerd } from './workerd.mjs';

/** Which stack a row in Chromium runs, and every how many requests of the other benches it sends one. */
const IN_CHROMIUM = {
  'bare-chromium': { stack: 'bare', every: 1 },
  'tidegate-chromium-indexeddb': { stack: 'tidegate-chromium-indexeddb', every: 4 },
};
/** Row in `chat-hosts` → Worker. */
const IN_WORKERD = { 'bare-workerd': 'bare', 'tidegate-workerd-object': 'tidegate' };
const asWorker = (name) => IN_WORKERD[name];
const EVERY_IN_WORKERD = 4;
const WARM_UP = 3; // rounds

/** Measures the named rows; resolves to rows of bench.json and remarks. */
export async function hosts(names, { rounds, requests }) {
  const chromium = names.filter((name) => IN_CHROMIUM[name]);
  const workerd = names.filter((name) => IN_WORKERD[name]);
  const every = (divisor) => Math.max(1, Math.round(requests / divisor));
  const pages = chromium.map((name) => [name, { ...IN_CHROMIUM[name], count: every(IN_CHROMIUM[name].every) }]);
  const stops = [];
  try {
    const rows = {};
    if (chromium.length > 0) {
      const opened = await openInChromium(Object.fromEntries(pages));
      stops.push(opened.stop);
      Object.assign(rows, opened.rounds);
    }
    if (workerd.length > 0) {
      const opened = await openInWorkerd(workerd.map(asWorker), every(EVERY_IN_WORKERD));
      stops.push(opened.stop);
      for (const name of workerd) rows[name] = opened.rounds[asWorker(name)];
    }
    for (const round of Object.values(rows)) {
      for (let warmed = 0; warmed < WARM_UP; warmed += 1) await round();
    }
    const measured = await interleave(rows, rounds);
    const figures = (bench, unit, pick, from) =>
      from.map((name) => summary(bench, name, unit, measured[name].samples, pick));
    const cpuUs = (sample) => sample.cpuUs;
    return {
      rows: [
        ...figures('chat-hosts', 'µs CPU', cpuUs, Object.keys(rows)),
        ...figures('chat-hosts-wall', 'µs', (sample) => sample.wallUs, chromium),
      ],
      remarks: Object.keys(rows)
        .map((name) => remark(`chat-hosts, ${name}`, measured[name]))
        .filter(Boolean),
    };
  } finally {
    for (const stop of stops) await stop();
  }
}
