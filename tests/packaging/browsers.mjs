// Chromium through Playwright, Firefox and WebKit through their drivers: Playwright drives only those that it built itself.

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

export function openFirefox() {
  const options = { args: ['-headless'], binary: process.env.FIREFOX || '/usr/bin/firefox-esr' };
  return openDriven({
    name: 'Firefox',
    command: (port) => [process.env.GECKODRIVER || 'geckodriver', '--port', port],
    capabilities: { browserName: 'firefox', 'moz:firefoxOptions': options },
  });
}

/** The engine of Safari, in the small browser that comes with its port to GTK, on a screen in memory. */
export async function openWebKit() {
  const screen = spawn('Xvfb', ['-displayfd', '1', '-nolisten', 'tcp'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(screen, 'exit');
  const close = async () => {
    screen.kill();
    await ended;
  };
  const [number] = await once(screen.stdout, 'data');
  // Its sandbox takes rights that a container does not give, and the pages are our own.
  const env = { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1', LIBGL_ALWAYS_SOFTWARE: '1' };
  const driven = await openDriven({
    name: 'WebKit',
    command: (port) => [process.env.WEBKIT_DRIVER, `--port=${port}`],
    env: { ...env, DISPLAY: `:${String(number).trim()}` },
    capabilities: { browserName: 'MiniBrowser' },
  }).catch(async (error) => {
    await close();
    throw error;
  });
  return { ...driven, close: () => driven.close().finally(close) };
}

/** The browsers that pages are tried in. */
export const BROWSERS = { Chromium: openChromium, Firefox: openFirefox, WebKit: openWebKit };

/** What a test of this browser is given: WebKit is tried where its driver is installed. */
export const where = (name) => ({
  skip: name === 'WebKit' && !process.env.WEBKIT_DRIVER && 'no WebKitWebDriver with Xvfb here',
});

/** A browser through its driver, which speaks WebDriver: one session, with no profile but its own. */
async function openDriven({ name, command, env, capabilities }) {
  // A free port of our own choosing: where a driver tells the port that it took itself depends on its version.
  const port = await freePort();
  const [program, ...args] = command(String(port));
  const driver = spawn(program, args, { stdio: 'ignore', env: { ...process.env, ...env } });
  const failed = once(driver, 'error').then(([error]) => Promise.reject(error));
  failed.catch(() => undefined);
  const base = `http://127.0.0.1:${port}`;
  await Promise.race([listening(base, program), failed]);
  const call = async (method, path, body) => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body), signal });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${name}: ${value.error}: ${value.message}`);
    return value;
  };
  const close = async () => {
    driver.kill();
    if (driver.exitCode === null && driver.signalCode === null) await once(driver, 'exit');
  };
  try {
    const { sessionId } = await call('POST', '/session', { capabilities: { alwaysMatch: capabilities } });
    const session = `/session/${sessionId}`;
    return {
      name,
      async text(url) {
        await call('POST', `${session}/url`, { url });
        for (const until = Date.now() + PATIENCE_MS; Date.now() < until;) {
          const script = 'return document.querySelector("output")?.textContent';
          const text = await call('POST', `${session}/execute/sync`, { script, args: [] });
          if (text) return text;
          await sleep(100);
        }
        throw new Error(`${url} stayed empty in ${name}`);
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

async function listening(base, program) {
  for (const until = Date.now() + PATIENCE_MS; ; await sleep(50)) {
    const ready = await fetch(`${base}/status`).catch(() => undefined);
    if (ready?.ok) return;
    if (Date.now() > until) throw new Error(`${program} does not answer`);
  }
}
