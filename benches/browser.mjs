// A Vite app of one file, built for production, served, and opened in Chromium.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'vite';

const FOLDER = fileURLToPath(new URL('../target/bench-apps/', import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** Builds an app of the module text `main`, and `others` by name; resolves to the folder of what a server would serve. */
export async function buildApp(name, main, others = {}) {
  const root = join(FOLDER, name);
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  await writeFile(join(root, 'index.html'), '<!doctype html><script type="module" src="/main.js"></script>');
  for (const [file, text] of Object.entries({ 'main.js': main, ...others })) await writeFile(join(root, file), text);
  await build({ root, configFile: false, logLevel: 'error', build: { reportCompressedSize: false } });
  return join(root, 'dist');
}

/** Serves `folder` at `url`; `asked` are the files that were fetched so far. */
export async function serve(folder) {
  const asked = new Set();
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://localhost').pathname.replace(/\/$/, '/index.html');
    try {
      const body = await readFile(join(folder, path));
      asked.add(path.slice(1));
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { asked, url: `http://localhost:${server.address().port}/`, stop: () => server.close() };
}

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROME || undefined,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
  });
