// What a level of isolation costs: the same gate in the page and in its worker, in Chromium, ledger in memory. Benches
// `isolation-request` (one request, by the clock) and `isolation-event` (one event of a stream of 8 events to a chunk).
// The provider answers at once in both realms: the worker is the package's own, behind the same patched `fetch`.
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { buildApp, launch, serve } from './browser.mjs';
import { interleave, remark, summary } from './rounds.mjs';

const here = (path) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
const WARM_UP = 3; // rounds
/** Requests for each stream: a stream is about as long as these. */
const PER_STREAM = 200;

/** A provider that answers at once, in chunks of 8 events; each chunk is its reader's own, as a socket's is. */
const PATCH = `
import { EVENT_TEXTS } from ${here('events.mjs')};
import { BASE_URL, instantFetch } from ${here('requests.mjs')};
const encoder = new TextEncoder();
const chunks = [];
for (let at = 0; at < EVENT_TEXTS.length; at += 8) chunks.push(encoder.encode(EVENT_TEXTS.slice(at, at + 8).join('')));
const stream = () => {
  let at = 0;
  const pull = (controller) => (at < chunks.length ? controller.enqueue(chunks[at++].slice()) : controller.close());
  return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }), { headers: { 'content-type': 'text/event-stream' } });
};
const network = globalThis.fetch; // the gateway's own Wasm comes from the server
globalThis.fetch = async (url, init) => {
  const address = typeof url === 'string' ? url : url.url;
  if (!String(address).startsWith(BASE_URL)) return network(url, init);
  const body = init?.body ?? (await url.text());
  return String(body).includes('"stream":true') ? stream() : instantFetch();
};`;

const PAGE = `
import { Tidegate } from 'tidegate';
import { EVENTS } from ${here('events.mjs')};
import { KEY, request, TEXT } from ${here('requests.mjs')};
import './patch.js';
let index = 0;
globalThis.start = async (isolation) => {
  const config = { isolation, workerUrl: '/bench-worker.js', ledger: 'memory', budget: { limitUsd: 1_000_000 } };
  const gate = await Tidegate.open({ name: isolation, ...config });
  await gate.vault.putForSession('groq', KEY);
  globalThis.requests = async (count) => {
    const started = performance.now();
    for (let sent = 0; sent < count; sent += 1) {
      const answer = await gate.chat(request((index += 1)));
      if (answer.choices[0].message.content !== TEXT) throw new Error('another answer');
    }
    return ((performance.now() - started) * 1000) / count;
  };
  globalThis.events = async (count) => {
    const started = performance.now();
    for (let sent = 0; sent < count; sent += 1) {
      const stream = await gate.chat({ ...request((index += 1)), stream: true });
      const reader = stream.readable.getReader();
      while (!(await reader.read()).done);
      await stream.result;
    }
    return ((performance.now() - started) * 1000) / (count * EVENTS);
  };
  return (await gate.status()).isolation;
};
document.title = 'ready';`;

/** Measures the named levels; resolves to rows of bench.json and remarks. */
export async function isolation(levels, { rounds, requests }) {
  const dist = await buildApp('isolation', PAGE, { 'patch.js': PATCH });
  const bundle = { bundle: true, format: 'esm', outfile: `${dist}/bench-worker.js`, logLevel: 'error' };
  const worker = `import './patch.js';\nimport ${here('../pkg/dist/worker.js')};`;
  await build({ ...bundle, stdin: { contents: worker, resolveDir: `${dist}/..` } });
  const server = await serve(dist);
  const browsers = [];
  const rows = { request: {}, event: {} };
  try {
    for (const level of levels) {
      const browser = await launch();
      browsers.push(browser);
      const page = await browser.newPage();
      await page.goto(server.url);
      await page.waitForFunction(() => document.title === 'ready');
      const found = await page.evaluate((isolation) => globalThis.start(isolation), level);
      if (found !== level) throw new Error(`asked for ${level}, opened ${found}`);
      const session = await browser.newBrowserCDPSession();
      const cpuMs = async () =>
        (await session.send('SystemInfo.getProcessInfo')).processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0) *
        1000;
      const round = (what, count) => async () => {
        const before = await cpuMs();
        const wallUs = await page.evaluate(([what, count]) => globalThis[what](count), [what, count]);
        return { wallUs, cpuMs: (await cpuMs()) - before };
      };
      rows.request[level] = round('requests', requests);
      rows.event[level] = round('events', Math.max(1, Math.round(requests / PER_STREAM)));
    }
    const [figures, remarks] = [[], []];
    for (const [what, ofLevels] of Object.entries(rows)) {
      for (const row of Object.values(ofLevels)) for (let warmed = 0; warmed < WARM_UP; warmed += 1) await row();
      const measured = await interleave(ofLevels, rounds);
      for (const level of levels) {
        const name = `isolation-${what}`;
        figures.push(summary(name, level, 'µs', measured[level].samples, ({ wallUs }) => wallUs));
        remarks.push(remark(`${name}, ${level}`, measured[level]));
      }
    }
    return { rows: figures, remarks: remarks.filter(Boolean) };
  } finally {
    for (const browser of browsers) await browser.close();
    server.stop();
  }
}
