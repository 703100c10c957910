// Portkey's gateway as a Worker. Its npm package has only the server for Node, whose parts that no Worker has are
// replaced: what starts a server gives its `fetch`, web sockets and Redis are not there. The rest is as published.
import { readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { build } from 'esbuild';

const NODE = new RegExp(`^(node:)?(${builtinModules.join('|')})$`);
const STAND_INS = {
  '@hono/node-server': 'export const serve = ({ fetch }) => { globalThis.portkey = fetch; return {}; };',
  '@hono/node-ws': `export const createNodeWebSocket = () => ({
    injectWebSocket() {}, upgradeWebSocket: () => (c) => c.text('', 501) });`,
  ioredis: 'export default class {}',
  ws: 'export default class {}',
};
/** What follows prints a banner with timers, which no Worker may have before its first request. */
const BANNER = ',console.clear()';

const asWorker = {
  name: 'as-worker',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: NODE }, ({ path }) => ({ path: `node:${path.replace(/^node:/, '')}`, external: true }));
    onResolve({ filter: /^(@hono\/node-(server|ws)|ioredis|ws)$/ }, ({ path }) => ({ path, namespace: 'stand-in' }));
    onLoad({ filter: /.*/, namespace: 'stand-in' }, ({ path }) => ({ contents: STAND_INS[path] }));
    onLoad({ filter: /start-server\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const end = text.indexOf(BANNER);
      if (end < 0) throw new Error('this version of @portkey-ai/gateway is not known');
      return { contents: text.slice(0, end).replace(/^#!.*\n/, '') };
    });
  },
};

/** The Worker's script; it needs the flag `nodejs_compat`. */
export async function portkey() {
  const contents = `import '@portkey-ai/gateway/build/start-server.js';
    export default { fetch: (request, env, context) => globalThis.portkey(request, env, context) };`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'node',
    define: { 'import.meta.url': '"file:///portkey/start-server.js"' },
    banner: {
      js: `import { createRequire } from 'node:module';
        const require = createRequire('/'); process.argv = ['node', 'portkey', '--headless'];`,
    },
    plugins: [asWorker],
    logLevel: 'error',
  });
  return outputFiles[0].text;
}
