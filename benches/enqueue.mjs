// What it costs to queue a request, beside an object that does no more than insert a row: benches `enqueue` and
// `enqueue-cpu`. Both on workerd itself, over one kept connection; the provider holds its one request for longer than
// the bench takes, as language models do, so that nothing is drained meanwhile.
import http from 'node:http';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { unstable_readConfig as readConfig } from 'wrangler';
import { request } from './requests.mjs';
import { interleave, remark, summary } from './rounds.mjs';
import { children, CONFIG, cpuMs, post, tidegate } from './workerd.mjs';

const WARM_UP = 3; // rounds
const EVERY = 4; // of the requests of other benches

const BARE = `
import { DurableObject } from 'cloudflare:workers';
export class Box extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec('CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT');
  }
  insert(body) {
    return this.ctx.storage.sql.exec('INSERT INTO items (body) VALUES (?) RETURNING id', body).one().id;
  }
}
export default {
  async fetch(request, { BOX }) {
    const body = JSON.stringify(await request.json());
    const requestId = await BOX.get(BOX.idFromName('box')).insert(body);
    return Response.json({ requestId }, { status: 202 });
  },
};`;

const HELD = `
export default { async fetch() { await new Promise((resolve) => setTimeout(resolve, 3_600_000)); } };`;

const WORKERS = {
  'bare-object': () => ({
    modules: true,
    script: BARE,
    durableObjects: { BOX: { className: 'Box', useSQLite: true } },
  }),
  tidegate: (config) => {
    const worker = tidegate(config);
    const { bindings } = worker;
    const queue = { capacity: 100_000, concurrency: 1 };
    return {
      ...worker,
      path: '/api/ai/queue',
      bindings: {
        ...bindings,
        TIDEGATE_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
        TIDEGATE_LOG: 'none',
        TIDEGATE_CONFIG: { ...bindings.TIDEGATE_CONFIG, queue },
      },
    };
  },
};

async function open(name, count) {
  const config = readConfig({ config: CONFIG });
  const before = new Set(children());
  const { path = '/', headers = {}, ...worker } = WORKERS[name](config);
  const compatibility = {
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
  };
  const direct = { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }], outboundService: 'provider' };
  const options = {
    workers: [
      { name: 'gateway', ...compatibility, ...direct, ...worker },
      { name: 'provider', ...compatibility, modules: true, script: HELD },
    ],
  };
  const miniflare = new Miniflare(convertV4MiniflareOptions(options));
  await miniflare.ready;
  const url = new URL(path, await miniflare.unsafeGetDirectURL('gateway'));
  const pid = children().find((child) => !before.has(child));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const sent = { 'content-type': 'application/json', ...headers };
  const ids = new Set();
  let index = 0;
  const round = async () => {
    const started = cpuMs(pid);
    const times = [];
    for (let done = 0; done < count; done += 1) {
      const begun = performance.now();
      const { text, status } = await post(url, agent, sent, JSON.stringify(request(index)));
      times.push((performance.now() - begun) * 1_000);
      const { requestId } = status === 202 ? JSON.parse(text) : {};
      if (!requestId || ids.has(requestId)) throw new Error(`${name} answered ${status}: ${text.slice(0, 200)}`);
      ids.add(requestId);
      index += 1;
    }
    const used = cpuMs(pid) - started;
    const p50Us = times.sort((a, b) => a - b)[times.length >> 1];
    return { cpuMs: used, cpuUs: (used * 1_000) / count, p50Us };
  };
  const stop = async () => {
    agent.destroy();
    await miniflare.dispose();
  };
  return { round, stop };
}

/** Measures the named rows; resolves to rows of bench.json and remarks. */
export async function enqueue(names, { rounds, requests }) {
  const opened = {};
  try {
    for (const name of names) opened[name] = await open(name, Math.max(1, Math.round(requests / EVERY)));
    const rows = Object.fromEntries(Object.entries(opened).map(([name, { round }]) => [name, round]));
    for (const round of Object.values(rows)) {
      for (let warmed = 0; warmed < WARM_UP; warmed += 1) await round();
    }
    const measured = await interleave(rows, rounds);
    const figures = (bench, unit, pick) =>
      names.map((name) => summary(bench, name, unit, measured[name].samples, pick));
    return {
      rows: [
        ...figures('enqueue', 'µs', (sample) => sample.p50Us),
        ...figures('enqueue-cpu', 'µs CPU', (sample) => sample.cpuUs),
      ],
      remarks: names.map((name) => remark(`enqueue, ${name}`, measured[name])).filter(Boolean),
    };
  } finally {
    for (const { stop } of Object.values(opened)) await stop();
  }
}
