// Workers in workerd itself, without wrangler's proxy.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import workerd from 'workerd';
import { unstable_readConfig as readConfig } from 'wrangler';
import { portkey } from './portkey.mjs';
import { ANSWER, BASE_URL, HEADERS, KEY, request, STREAM, TEXT } from './requests.mjs';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
export const CONFIG = join(ROOT, 'worker/wrangler.jsonc');
const BUNDLE = join(ROOT, 'target/bench-worker');
const LOGS = join(ROOT, 'target/bench-logs');
const TOKEN = 'token-of-the-bench';
const AT_ONCE = 32; // requests, where throughput is measured
const EVERY_STREAM = 4; // one of so many requests is for a stream
const TICK_MS = 10; // of /proc's CPU figures

// Answers at once. It runs in the same process, so its CPU is in every row alike.
const PROVIDER = `
const [whole, events, headers] = ${JSON.stringify([ANSWER, STREAM, HEADERS])};
export default {
  async fetch(request) {
    if (!(await request.text()).includes('"stream":true')) return new Response(whole, { headers });
    return new Response(events, { headers: { ...headers, 'content-type': 'text/event-stream' } });
  },
};`;

// What a Worker without a gateway does: read, ask, answer.
const BARE = `
export default {
  async fetch(request) {
    const asked = await request.json();
    const body = JSON.stringify(asked);
    const headers = { 'content-type': 'application/json', authorization: 'Bearer ${KEY}' };
    const response = await fetch('${BASE_URL}/chat/completions', { method: 'POST', headers, body });
    if (asked.stream) return new Response(response.body, { headers: { 'content-type': 'text/event-stream' } });
    return Response.json(JSON.parse(await response.text()));
  },
};`;

// The same with what of the platform a gateway makes use of for each request, and no gateway: headers read, both bodies
// read as they come, a signal to abort the fetch by, one timer, as many headers and a line in the log as ours.
const PLATFORM_PARTS = `
const utf8 = new TextDecoder('utf-8', { fatal: true });
async function whole(reader) {
  for (let all = []; ; ) {
    const { done, value } = await reader.read();
    if (done) return all[0];
    all.push(value);
  }
}
export default {
  async fetch(request, env, context) {
    const sent = [];
    request.headers.forEach((value, name) => sent.push(name, value));
    const body = utf8.decode(await request.arrayBuffer());
    const controller = new AbortController();
    const leave = () => controller.abort();
    request.signal.addEventListener('abort', leave);
    const late = setTimeout(leave, 120_000);
    const headers = { 'content-type': 'application/json', authorization: 'Bearer ${KEY}' };
    const { signal } = controller;
    const response = await fetch('${BASE_URL}/chat/completions', { method: 'POST', headers, body, signal });
    const reader = response.body.getReader();
    const streamed = body.includes('"stream":true');
    const pull = async (sink) => {
      const { done, value } = await reader.read();
      if (done) sink.close();
      else sink.enqueue(value);
    };
    const out = streamed ? new ReadableStream({ pull }, { highWaterMark: 0 }) : await whole(reader);
    clearTimeout(late);
    request.signal.removeEventListener('abort', leave);
    const told = { 'content-type': streamed ? 'text/event-stream' : 'application/json' };
    for (let at = 0; at < 15; at += 1) told['x-told-' + at] = 'as long as most are';
    context.waitUntil(Promise.resolve());
    console.log(JSON.stringify({ event: 'request', told, sent: sent.length }));
    return new Response(out, { headers: told });
  },
};`;

// The bare one, with one row written durably by an object before the provider is asked: less no ledger can do that counts
// each request before it is sent and forgets none.
const BARE_LEDGER = `
import { DurableObject } from 'cloudflare:workers';
export class Box extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec('CREATE TABLE IF NOT EXISTS rows (key TEXT PRIMARY KEY, row BLOB NOT NULL) STRICT, WITHOUT ROWID');
    ctx.storage.sql.exec("INSERT OR IGNORE INTO rows VALUES ('ledger', x'00')");
  }
  decide(command) {
    this.ctx.storage.sql.exec("UPDATE rows SET row = ? WHERE key = 'ledger'", crypto.getRandomValues(new Uint8Array(200)));
    return command.subarray(0, 50);
  }
}
const bare = ${BARE.replace('export default ', '').trim()}
export default {
  async fetch(request, { BOX }) {
    await BOX.get(BOX.idFromName('box')).decide(new Uint8Array(150));
    return bare.fetch(request);
  },
};`;

/** Rows differ in what they are bound to, and share the bundle. */
let bundled = false;

/** The Worker as `wrangler deploy` would upload it, with budgets and rates that never refuse. */
export function tidegate(config, more = {}) {
  if (!bundled)
    execFileSync('wrangler', ['deploy', '--dry-run', '--config', CONFIG, '--outdir', BUNDLE], { stdio: 'pipe' });
  bundled = true;
  const modules = readdirSync(BUNDLE)
    .map((name) => ({ path: join(BUNDLE, name), type: { '.js': 'ESModule', '.wasm': 'CompiledWasm' }[extname(name)] }))
    .filter(({ type }) => type);
  const objects = config.durable_objects.bindings.map((one) => [
    one.name,
    { className: one.class_name, useSQLite: true },
  ]);
  return {
    path: '/v1/chat/completions',
    headers: { authorization: `Bearer ${TOKEN}` },
    // The script that starts comes first.
    modules: modules.sort((a, b) => (b.type === 'ESModule') - (a.type === 'ESModule')),
    modulesRoot: BUNDLE,
    bindings: { TIDEGATE_TOKEN: TOKEN, GROQ_API_KEY: KEY, TIDEGATE_CONFIG: { ...PLENTY, ...more } },
    durableObjects: Object.fromEntries(objects),
  };
}

const PLENTY = {
  budget: { limitUsd: 1_000_000 },
  rates: {
    tiers: { enterprise: { perMinute: 1_000_000_000 } },
    routes: { other: { perMinute: 1_000_000_000 } },
  },
};

const WORKERS = {
  bare: () => ({ modules: true, script: BARE }),
  'platform-parts': () => ({ modules: true, script: PLATFORM_PARTS }),
  'bare-ledger': () => ({
    modules: true,
    script: BARE_LEDGER,
    durableObjects: { BOX: { className: 'Box', useSQLite: true } },
  }),
  portkey: async () => ({
    path: '/v1/chat/completions',
    headers: { authorization: `Bearer ${KEY}`, 'x-portkey-provider': 'groq' },
    flags: ['nodejs_compat'],
    modules: true,
    script: await portkey(),
  }),
  tidegate: (config) => tidegate(config),
  'tidegate-leased': (config) => tidegate(config, { leases: {} }),
};

/** CPU milliseconds of the process so far; only where /proc exists. */
export function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

export const children = () =>
  readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean);

/** One POST over a kept connection: milliseconds to the first byte of the answer, and the answer. */
export function post(url, agent, headers, body) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const outgoing = http.request(url, { method: 'POST', agent, headers }, (response) => {
      response.once('readable', () => {
        const ttfbMs = performance.now() - started;
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part) => (text += part));
        response.on('end', () => resolve({ ttfbMs, text, status: response.statusCode }));
      });
    });
    outgoing.on('error', reject).end(body);
  });
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

/**
 * Lets workerd write its log into a file. Through a pipe each line would wake the process that sends the requests, and be
 * read and printed there before the answer is: as if that were the Worker's work.
 */
function logIntoFile() {
  const [starter, log] = ['workerd.sh', 'workerd.log'].map((name) => join(LOGS, name));
  mkdirSync(LOGS, { recursive: true });
  writeFileSync(log, '');
  writeFileSync(starter, `#!/bin/sh\nexec '${workerd.default}' "$@" >>'${log}'\n`, { mode: 0o755 });
  process.env.MINIFLARE_WORKERD_PATH = starter;
}

/** One workerd per row. A round is `count` requests one after the other, as many at once, and some of streams. */
async function open(name, count) {
  const config = readConfig({ config: CONFIG });
  const { path = '/', headers = {}, flags = [], ...worker } = await WORKERS[name](config);
  const before = new Set(children()); // esbuild is one too, once something was bundled
  const compatibility = {
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
  };
  const direct = { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }], outboundService: 'provider' };
  const options = {
    workers: [
      {
        ...{ name: 'gateway', ...compatibility, ...direct, ...worker },
        compatibilityFlags: [...compatibility.compatibilityFlags, ...flags],
      },
      { name: 'provider', ...compatibility, modules: true, script: PROVIDER },
    ],
  };
  const miniflare = new Miniflare(convertV4MiniflareOptions(options));
  await miniflare.ready;
  const url = new URL(path, await miniflare.unsafeGetDirectURL('gateway'));
  const pid = children().find((child) => !before.has(child));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const crowd = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const sent = { 'content-type': 'application/json', ...headers };
  let index = 0;
  const ask = async (through, more) => {
    index += 1;
    const { ttfbMs, text, status } = await post(url, through, sent, JSON.stringify({ ...request(index), ...more }));
    const said = () => (more ? text.includes('data: [DONE]') : JSON.parse(text).choices[0].message.content === TEXT);
    if (status !== 200 || !said()) throw new Error(`${name} answered ${status}: ${text.slice(0, 200)}`);
    return ttfbMs;
  };
  const timed = async (times, more) => {
    const latencies = [];
    for (let done = 0; done < times; done += 1) latencies.push(await ask(agent, more));
    return latencies.sort((a, b) => a - b);
  };
  const together = async (times, more = () => undefined) => {
    let left = times;
    const one = async () => {
      for (; left > 0; left -= 1) await ask(crowd, more(left));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  };
  const round = async () => {
    const started = cpuMs(pid);
    const latencies = await timed(count);
    const used = cpuMs(pid) - started;
    const crowdStarted = performance.now();
    await together(count);
    const perSecond = (count * 1000) / (performance.now() - crowdStarted);
    const streams = await timed(Math.ceil(count / EVERY_STREAM), { stream: true });
    // Until the next round the server would hang up.
    agent.destroy();
    crowd.destroy();
    return {
      cpuMs: cpuMs(pid) - started,
      cpuUs: (used * 1000) / count,
      p50Ms: at(latencies, 0.5),
      p99Ms: at(latencies, 0.99),
      perSecond,
      ttfbMs: at(streams, 0.5),
    };
  };
  const stop = async () => {
    agent.destroy();
    crowd.destroy();
    await miniflare.dispose();
  };
  const warm = (times) => together(times, (left) => (left % EVERY_STREAM === 0 ? { stream: true } : undefined));
  return { round, warm, stop };
}

/** Rows ready to be run in rounds of `count` requests: `rounds` and `warms`, name → function, and `stop`. */
export async function openInWorkerd(names, count) {
  logIntoFile();
  const opened = {};
  const stop = () => Promise.all(Object.values(opened).map((row) => row.stop()));
  try {
    for (const name of names) opened[name] = await open(name, count);
  } catch (error) {
    await stop();
    throw error;
  }
  const each = (what) => Object.fromEntries(Object.entries(opened).map(([name, row]) => [name, row[what]]));
  return { rounds: each('round'), warms: each('warm'), stop };
}
