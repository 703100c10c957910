// The same requests in a page in Chromium, with the ledger that tabs share: bench `chat-hosts`.
// CPU is that of all of Chromium's processes, for IndexedDB works outside the page.
import { fileURLToPath } from 'node:url';

import { buildApp, launch, serve } from './browser.mjs';

const beside = (name) => JSON.stringify(fileURLToPath(new URL(name, import.meta.url)));
const IN_PAGE = `
import { BASE_URL, instantFetch, TEXT } from ${beside('requests.mjs')};
import { chat } from ${beside('stacks.mjs')};
const network = globalThis.fetch; // the gateway's own Wasm comes from the server
globalThis.fetch = (url, init) => (String(url).startsWith(BASE_URL) ? instantFetch() : network(url, init));
globalThis.start = async (row) => {
  const send = await chat[row]();
  let index = 0;
  globalThis.round = async (count) => {
    const started = performance.now();
    for (let sent = 0; sent < count; sent += 1) {
      const text = await send(index);
      if (text !== TEXT) throw new Error('answered ' + text);
      index += 1;
    }
    return performance.now() - started;
  };
};
document.title = 'ready';`;

const cpuSeconds = async (session) =>
  (await session.send('SystemInfo.getProcessInfo')).processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);

/** One browser per row, so that each has its own processes to count. */
async function open(stack, count, url) {
  const browser = await launch();
  const page = await browser.newPage();
  await page.goto(url);
  await page.waitForFunction(() => document.title === 'ready');
  await page.evaluate((row) => globalThis.start(row), stack);
  const session = await browser.newBrowserCDPSession();
  const round = async () => {
    const before = await cpuSeconds(session);
    const wallMs = await page.evaluate((requests) => globalThis.round(requests), count);
    const cpuMs = ((await cpuSeconds(session)) - before) * 1000;
    return { cpuUs: (cpuMs * 1000) / count, wallUs: (wallMs * 1000) / count, cpuMs };
  };
  return { round, stop: () => browser.close() };
}

/** Rows ready to be run in rounds: name → { round, stop }; `rows` says stack and requests per round of each name. */
export async function openInChromium(rows) {
  const server = await serve(await buildApp('chat', IN_PAGE));
  const opened = {};
  const stop = async () => {
    await Promise.all(Object.values(opened).map((row) => row.stop()));
    server.stop();
  };
  try {
    for (const [name, { stack, count }] of Object.entries(rows)) opened[name] = await open(stack, count, server.url);
  } catch (error) {
    await stop();
    throw error;
  }
  return { rounds: Object.fromEntries(Object.entries(opened).map(([name, { round }]) => [name, round])), stop };
}
