// Rounds, interleaved: every row runs once in each round, so that a slow minute of the machine hits all alike.
import { readFileSync } from 'node:fs';
import os from 'node:os';

/** More than this share of one core used by other processes, and a sample is set aside. */
const BUSY = 0.3;
/** What the kernel's ticks of 10 ms may add to one reading, on either side. */
const TICKS_MS = 20;
/** Below this many undisturbed samples of a row all of its samples are used, and the output says so. */
const ENOUGH = 5;

/** CPU milliseconds that the whole machine has used since it started; none where the kernel does not say. */
function machineMs() {
  try {
    const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8')
      .match(/^cpu +(.*)/)[1]
      .split(' ')
      .map(Number);
    return (user + nice + system + irq + softirq) * 10;
  } catch {
    return undefined;
  }
}

/** Cores that others kept busy while `run` ran, and what it returned. `run` says its own `cpuMs`. */
async function watched(run) {
  const before = machineMs();
  const own = process.cpuUsage();
  const started = performance.now();
  const sample = await run();
  const wallMs = performance.now() - started;
  const after = machineMs();
  const { user, system } = process.cpuUsage(own);
  const others = before === undefined ? 0 : after - before - sample.cpuMs - (user + system) / 1000 - TICKS_MS;
  return { ...sample, others: Math.max(0, others) / wallMs };
}

/**
 * Runs each row of `rows` (name → function that runs one round and resolves to figures and its `cpuMs`) in turn.
 * A row disturbed by others gets up to as many rounds again. Resolves to name → samples.
 */
export async function interleave(rows, rounds) {
  const samples = Object.fromEntries(Object.keys(rows).map((name) => [name, []]));
  const calm = (name) => samples[name].filter(({ others }) => others <= BUSY);
  for (let round = 0; round < 2 * rounds; round += 1) {
    const due = Object.keys(rows).filter((name) => round < rounds || calm(name).length < rounds);
    for (const name of due) samples[name].push(await watched(rows[name]));
  }
  return Object.fromEntries(
    Object.keys(rows).map((name) => {
      const kept = calm(name);
      const enough = kept.length >= Math.min(ENOUGH, rounds);
      const setAside = enough ? samples[name].length - kept.length : 0;
      return [name, { samples: enough ? kept : samples[name], setAside, disturbed: !enough }];
    }),
  );
}

/** One row of target/bench.json from the figure `pick` of each sample. */
export function summary(bench, row, unit, samples, pick) {
  const sorted = samples.map(pick).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
  const round = (figure) => Number(figure.toPrecision(5));
  const [min, max] = [sorted[0], sorted.at(-1)];
  return { bench, row, unit, median: round(median), min: round(min), max: round(max), rounds: sorted.length };
}

/** What to say of a row's samples beside the figures; nothing when all was calm. */
export function remark(row, { setAside, disturbed }) {
  if (disturbed) return `${row}: other processes were busy in most rounds; all samples are used`;
  if (setAside > 0) return `${row}: ${setAside} samples set aside, other processes were busy`;
  return undefined;
}

export const load = () => os.loadavg()[0].toFixed(1);
