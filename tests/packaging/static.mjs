// A static server that knows as little as a plain host: no fallback page, and `.wasm` without its own type if asked so.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** Serves `folder` under `base`. `lost` lists the paths that were asked for and not found. */
export async function serve(t, folder, { base = '/', wasmType = TYPES['.wasm'], headers = {} } = {}) {
  const lost = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
    try {
      if (!path.startsWith(base)) throw new Error('outside the base');
      const bytes = await readFile(join(folder, normalize(`/${path.slice(base.length)}`)));
      const type = { ...TYPES, '.wasm': wasmType }[extname(path)] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': type, ...headers }).end(bytes);
    } catch {
      if (!path.endsWith('/favicon.ico')) lost.push(path);
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not found</h1>');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}${base}`, lost };
}
