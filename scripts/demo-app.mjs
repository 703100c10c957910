// The app of the demo: built and served by Vite, with a description of the demo that the app asks for.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root, as a URL that ends in a slash. */
export const root = new URL('../', import.meta.url);

/**
 * `/demo.json` tells the app where the stand-ins are, so that no build knows; `/demo-key/<provider>` hands out
 * a throw-away key, as bytes, when a person asks for it.
 */
const demoPlugin = (description, keys) => {
  const serve = (request, response, next) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const send = (type, body) =>
      response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    if (pathname === '/demo.json')
      return void send('application/json', JSON.stringify({ ...description, keys: Object.keys(keys) }));
    const provider = pathname.startsWith('/demo-key/') ? pathname.slice('/demo-key/'.length) : null;
    if (provider !== null && Object.hasOwn(keys, provider))
      return void send('application/octet-stream', keys[provider]);
    next();
  };
  const use = (server) => void server.middlewares.use(serve);
  return { name: 'tidegate-demo', configureServer: use, configurePreviewServer: use };
};

/** Builds and serves the app, or serves it from its sources with `dev`. */
export async function serveApp({ port, dev, quiet, description, keys }) {
  const { build, createServer, preview } = await import('vite');
  const folder = fileURLToPath(new URL('www/', root));
  const address = { host: '127.0.0.1', port, strictPort: true };
  const plugins = [demoPlugin(description, keys)];
  const common = { root: folder, logLevel: quiet ? 'error' : 'warn' };
  if (dev) {
    const server = await createServer({ ...common, plugins, server: address });
    await server.listen();
    return { stop: () => server.close() };
  }
  // A folder of its own, so that two demos at once do not build into each other.
  const outDir = await mkdtemp(join(tmpdir(), 'tidegate-demo-'));
  const clean = () => rm(outDir, { recursive: true, force: true });
  try {
    const built = { ...common, build: { outDir, emptyOutDir: true } };
    await build(built);
    const server = await preview({ ...built, plugins, preview: address });
    return { stop: () => server.close().finally(clean) };
  } catch (cause) {
    await clean();
    throw cause;
  }
}
