// `gate.fetch` in a page of Chromium, with the clients bundled as an app would bundle them.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { launchBrowser } from '../../e2e/support.mjs';
import { startStandIn } from '../stand-in.mjs';

const PKG = fileURLToPath(new URL('../../../pkg/', import.meta.url));
const PAGE = `<!doctype html><meta charset="utf-8"><title>clients</title>
<script type="importmap">{"imports":{"tidegate":"/pkg/dist/web.js"}}</script>
<script type="module" src="/page.js"></script>`;
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.mjs', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: ['tidegate'],
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
  return outputFiles[0].contents;
}

/** The page, the bundle, and the package's own files. */
async function serve() {
  const script = await bundle();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://page');
    try {
      const type = pathname === '/' ? 'text/html' : (TYPES[extname(pathname)] ?? 'text/plain');
      const body =
        pathname === '/'
          ? PAGE
          : pathname === '/page.js'
            ? script
            : await readFile(join(PKG, /^\/pkg\/((?:dist|wasm)\/[\w./-]+)$/.exec(pathname)[1]));
      response.writeHead(200, { 'content-type': type }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

export async function inChromium() {
  const standIn = await startStandIn();
  const server = await serve();
  const browser = await launchBrowser();
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error('page:', error.message));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => 'runTask' in globalThis);
  return {
    standIn,
    run: (name, task, variant) =>
      page.evaluate((given) => globalThis.runTask(...given), [standIn.url, task, variant ?? null]),
    async stop() {
      await browser.close();
      server.close();
      server.closeAllConnections();
      await standIn.stop();
    },
  };
}
