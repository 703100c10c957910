// The Worker as it is deployed, in workerd run directly: a process that a test may kill as a power cut would, with its
// storage kept; with more isolates that share its objects, in the same process or in one of their own.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { unstable_readConfig as readConfig } from 'wrangler';

const CONFIG = fileURLToPath(new URL('../../worker/wrangler.jsonc', import.meta.url));
const KINDS = { '.js': 'ESModule', '.wasm': 'CompiledWasm' };
export const TOKEN = 'token-of-the-end-to-end-tests';
export const MASTER_KEY = Buffer.alloc(32, 7).toString('base64');

/** Before the Worker, so that a test need not wait for leases: `POST /clock?aheadMs=` sets the isolate's clock. */
const ENTRY = 'entry-of-a-test.js';
const CLOCK = `
import worker from './index.js';
export * from './index.js';
const now = Date.now.bind(Date);
let ahead = 0;
Date.now = () => now() + ahead;
export default {
  fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== '/clock') return worker.fetch(request, env, context);
    ahead = Number(searchParams.get('aheadMs'));
    return Response.json({ ahead });
  },
};
`;

/** Folders that go with the test. */
export function folder(name) {
  const path = mkdtempSync(join(tmpdir(), `tidegate-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** What `wrangler deploy` would send. */
export function bundled() {
  const made = folder('bundle');
  execFileSync('wrangler', ['deploy', '--dry-run', '--config', CONFIG, '--outdir', made.path], { stdio: 'pipe' });
  writeFileSync(join(made.path, ENTRY), CLOCK);
  const modules = readdirSync(made.path)
    .map((name) => ({ path: join(made.path, name), type: KINDS[extname(name)] }))
    .filter(({ type }) => type)
    .sort((a, b) => Number(b.path.endsWith(ENTRY)) - Number(a.path.endsWith(ENTRY)));
  return { ...made, modules };
}

const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean);

/**
 * Starts a process of workerd. `isolates` are names of services: one has objects of its own, unless `objectsOf` names the
 * one whose it shares; that one may run in another process with the same `registry`, a folder.
 *
 * @param {{ bundle: ReturnType<typeof bundled>, storage?: string, registry?: string, bindings: object,
 *   isolates?: { name: string, objectsOf?: string }[] }} options
 */
export async function startWorkerd({ bundle, storage, registry, bindings, isolates = [{ name: 'gateway' }] }) {
  const config = readConfig({ config: CONFIG });
  const objects = (scriptName) =>
    Object.fromEntries(
      config.durable_objects.bindings.map((one) => [
        one.name,
        { className: one.class_name, useSQLite: true, ...(scriptName && { scriptName }) },
      ]),
    );
  const before = new Set(children());
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      ...(registry && { unsafeDevRegistryPath: registry }),
      workers: isolates.map(({ name, objectsOf }) => ({
        ...{ name, modules: bundle.modules, modulesRoot: bundle.path, bindings },
        compatibilityDate: config.compatibility_date,
        compatibilityFlags: config.compatibility_flags,
        unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
        durableObjects: objects(objectsOf),
      })),
    }),
    ...(storage && { resourcePersistencePath: storage }),
  });
  await miniflare.ready;
  const urls = await Promise.all(isolates.map(({ name }) => miniflare.unsafeGetDirectURL(name)));
  const pid = Number(children().find((child) => !before.has(child)));
  return {
    /** One for each isolate, without a slash at its end. */
    urls: urls.map((url) => String(url).replace(/\/$/, '')),
    kill: () => process.kill(pid, 'SIGKILL'),
    dispose: () => miniflare.dispose(),
  };
}

/** A request to the Worker with the operator's token, and what came of it. */
export async function call(url, path, { method = 'GET', body, token = TOKEN, headers = {} } = {}) {
  const response = await fetch(url + path, {
    ...{ method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers } },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text.startsWith('{') ? JSON.parse(text) : text,
  };
}

/** A question of at most 1,000 tokens. */
export const ask = (url, question, { stream, ...more } = {}) =>
  call(url, '/v1/chat/completions', {
    method: 'POST',
    body: { model: 'auto', max_tokens: 1_000, messages: [{ role: 'user', content: question }], stream },
    ...more,
  });

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(met) {
  while (!(await met())) await pause(10);
}
