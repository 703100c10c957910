// A page with the clients bundled as an app would bundle them, and the package as it was built, by an import map.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const PKG = fileURLToPath(new URL('../../../pkg/', import.meta.url));
const PAGE = `<!doctype html><meta charset="utf-8"><title>clients</title>
<script type="importmap">{"imports":{"tidegate":"/pkg/dist/web.js"}}</script>
<output></output>
<script type="module" src="/page.js"></script>`;
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

async function bundle(entry) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
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

/** Serves a page that runs `entry`, a module of this folder. `asked` is told each path. */
export async function servePage(entry, asked = () => undefined) {
  const script = await bundle(entry);
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://page');
    asked(pathname);
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
