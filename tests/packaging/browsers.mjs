// Chromium through Playwright, Firefox through geckodriver: Playwright drives only a Firefox that it built itself.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { chromium } from 'playwright-core';

const CHROME_ARGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run'];
const PATIENCE_MS = 30_000;

/** How Chromium is started. */
export const CHROMIUM = { executablePath: process.env.CHROME || '/usr/bin/chromium', args: CHROME_ARGS };

/** `{ name, text(url), close() }`: `text` opens a page, waits for its `<output>` to be filled, and reads it. */
export async function openChromium() {
  const browser = await chromium.launch(CHROMIUM);
  return {
    name: 'Chromium',
    async text(url) {
      const context = await browser.newContext();
      try {
        const page = await context.newPage();
        const problems = [];
        page.on('pageerror', (error) => problems.push(error.message));
        page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
        await page.goto(url);
        const output = page.locator('output:not(:empty)');
        await output.waitFor({ timeout: PATIENCE_MS }).catch((error) => {
          throw new Error(`${url} stayed empty: ${problems.join('; ')}`, { cause: error });
        });
        return await output.textContent();
      } finally {
        await context.close();
      }
    },
    close: () => browser.close(),
  };
}

export async function openFirefox() {
  // A free port of our own choosing: where it tells the port that it took itself depends on its version.
  const port = await freePort();
  const driver = spawn(process.env.GECKODRIVER || 'geckodriver', ['--port', String(port)], { stdio: 'ignore' });
  const failed = once(driver, 'error').then(([error]) => Promise.reject(error));
  failed.catch(() => undefined);
  const base = `http://127.0.0.1:${port}`;
  await Promise.race([listening(base), failed]);
  const call = async (method, path, body) => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body), signal });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`Firefox: ${value.error}: ${value.message}`);
    return value;
  };
  const close = async () => {
    driver.kill();
    if (driver.exitCode === null && driver.signalCode === null) await once(driver, 'exit');
  };
  try {
    const options = { args: ['-headless'], binary: process.env.FIREFOX || '/usr/bin/firefox-esr' };
    const capabilities = { alwaysMatch: { browserName: 'firefox', 'moz:firefoxOptions': options } };
    const { sessionId } = await call('POST', '/session', { capabilities });
    const session = `/session/${sessionId}`;
    return {
      name: 'Firefox',
      async text(url) {
        await call('POST', `${session}/url`, { url });
        for (const until = Date.now() + PATIENCE_MS; Date.now() < until;) {
          const script = 'return document.querySelector("output")?.textContent';
          const text = await call('POST', `${session}/execute/sync`, { script, args: [] });
          if (text) return text;
          await sleep(100);
        }
        throw new Error(`${url} stayed empty in Firefox`);
      },
      async close() {
        await call('DELETE', session).catch(() => undefined);
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(base) {
  for (const until = Date.now() + PATIENCE_MS; ; await sleep(50)) {
    const ready = await fetch(`${base}/status`).catch(() => undefined);
    if (ready?.ok) return;
    if (Date.now() > until) throw new Error('geckodriver does not answer');
  }
}
