// How fast keys are looked for: `scan-mb-s` over real minified bundles (higher is better), `screen-1kb` for a prompt.
// Every rule and every decoder is on, from bytes to findings. Of CPU: the clock would tell what else the machine does.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildApp, launch, serve } from './browser.mjs';
import { bundles } from './bundles.mjs';
import { interleave, remark, summary } from './rounds.mjs';

const CHROMIUM = 'tidegate-chromium';
/** Of a prompt; so many make a round longer than what disturbs it. */
const SCREENS = 4_000;
/** Megabytes that are streamed to see whether memory stays. */
const STREAMED = 512;

const PAGE = `
import { Scanner } from 'tidegate';
const scanner = await Scanner.create({ key: new Uint8Array(32) });
const [sizes, all] = await Promise.all([
  fetch('/sizes.json').then((answer) => answer.json()),
  fetch('/bundles.bin').then((answer) => answer.arrayBuffer()),
]);
const files = [];
for (let at = 0, index = 0; index < sizes.length; at += sizes[index], index += 1) files.push(new Uint8Array(all, at, sizes[index]));
globalThis.round = () => {
  const started = performance.now();
  for (const bytes of files) {
    scanner.push(bytes);
    scanner.finish();
  }
  return { wallMs: performance.now() - started, result: all.byteLength / 1e6 };
};
document.title = 'ready';`;

async function inNode(bench, row) {
  const child = fork(fileURLToPath(new URL('scan-row.mjs', import.meta.url)), [bench, row]);
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the process of row ${row} ended with ${code}`);
  });
  failed.catch(() => {}); // heard through the race below
  const reply = () => Promise.race([once(child, 'message').then(([message]) => message), failed]);
  await reply();
  const round = (name, count) => {
    const answered = reply();
    child.send({ round: name, count });
    return answered;
  };
  return { round, stop: () => child.disconnect() };
}

async function inChromium() {
  const dist = await buildApp('scan', PAGE);
  const files = await bundles();
  await writeFile(join(dist, 'bundles.bin'), Buffer.concat(files.map(({ bytes }) => bytes)));
  await writeFile(join(dist, 'sizes.json'), JSON.stringify(files.map(({ bytes }) => bytes.length)));
  const server = await serve(dist);
  const browser = await launch();
  const page = await browser.newPage();
  await page.goto(server.url);
  await page.waitForFunction(() => document.title === 'ready', undefined, { timeout: 60_000 });
  const stop = async () => {
    await browser.close();
    server.stop();
  };
  const session = await browser.newBrowserCDPSession();
  const cpuMs = async () => {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0) * 1000;
  };
  const round = async () => {
    const before = await cpuMs();
    const took = await page.evaluate(() => globalThis.round());
    return { ...took, cpuMs: (await cpuMs()) - before };
  };
  return { round, stop };
}

/** Measures `scan-mb-s`; resolves to rows of bench.json and remarks. */
export async function scan(names, { rounds }) {
  const started = {};
  try {
    for (const name of names) {
      started[name] = name === CHROMIUM ? await inChromium() : await inNode('scan', name);
      for (let warm = 0; warm < 2; warm += 1) await started[name].round('scan');
    }
    const measured = await interleave(
      Object.fromEntries(names.map((name) => [name, () => started[name].round('scan')])),
      rounds,
    );
    const perSecond = ({ result, cpuMs }) => (result * 1000) / cpuMs;
    const rows = names.map((name) => summary('scan-mb-s', name, 'MB/s', measured[name].samples, perSecond));
    const remarks = names.map((name) => remark(`scan-mb-s, ${name}`, measured[name])).filter(Boolean);
    const files = await bundles();
    const size = files.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1e6;
    remarks.push(`scan-mb-s: higher is better; ${files.length} published bundles of ${size.toFixed(1)} MB`);
    if (started['tidegate']) {
      const { result } = await started['tidegate'].round('memory', STREAMED);
      remarks.push(`scan-mb-s: ${STREAMED} MB streamed in chunks of 64 KiB took ${result} bytes more memory`);
    }
    return { rows: rows.map((row) => ({ ...row, better: 'higher' })), remarks };
  } finally {
    for (const { stop } of Object.values(started)) await stop();
  }
}

/** Measures `screen-1kb`: one prompt of 1 KB, from its text to "no keys". */
export async function screen(names, { rounds }) {
  const started = {};
  try {
    for (const name of names) {
      started[name] = await inNode('screen', name);
      await started[name].round('screen', SCREENS);
    }
    const measured = await interleave(
      Object.fromEntries(names.map((name) => [name, () => started[name].round('screen', SCREENS)])),
      rounds,
    );
    const each = ({ cpuMs, result }) => (cpuMs * 1000) / result;
    return {
      rows: names.map((name) => summary('screen-1kb', name, 'µs CPU', measured[name].samples, each)),
      remarks: names.map((name) => remark(`screen-1kb, ${name}`, measured[name])).filter(Boolean),
    };
  } finally {
    for (const { stop } of Object.values(started)) stop();
  }
}
