// `make bench`: measures, prints a table, writes target/bench.json. What each row is: README.md beside this file.
//   node benches/run.mjs [--only chat,cache-hit,sse-event,hosts,worker,isolation,scan-mb-s,screen-1kb,scanner-raw-kb,size] [--rows bare,tidegate] [--rounds 15] [--requests 2000]
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { cpu } from './cpu.mjs';
import { enqueue } from './enqueue.mjs';
import { hosts } from './hosts.mjs';
import { isolation } from './isolation.mjs';
import { load } from './rounds.mjs';
import { scan, screen } from './scan.mjs';
import { scannerSize } from './scanner-size.mjs';
import { size } from './size.mjs';
import { table } from './table.mjs';
import { versions } from './versions.mjs';
import { workers } from './workers.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rows: { type: 'string' },
    rounds: { type: 'string', default: '15' },
    requests: { type: 'string', default: '2000' },
  },
});
const amount = { rounds: Number(values.rounds), requests: Number(values.requests) };

const BENCHES = {
  chat: (only) =>
    cpu('chat', only(['bare', 'cockatiel', 'openai', 'ai-sdk', 'tidegate', 'tidegate-browser-build']), amount),
  'cache-hit': (only) => cpu('cache-hit', only(['lru-cache', 'tidegate', 'tidegate-browser-build']), amount),
  'sse-event': (only) =>
    cpu(
      'sse-event',
      only(['drain', 'eventsource-parser', 'openai', 'ai-sdk', 'tidegate', 'tidegate-browser-build', 'tidegate-chat']),
      amount,
    ),
  hosts: (only) =>
    hosts(only(['bare-chromium', 'tidegate-chromium-indexeddb', 'bare-workerd', 'tidegate-workerd-object']), amount),
  isolation: (only) => isolation(only(['page', 'worker']), amount),
  worker: (only) =>
    workers(only(['bare', 'platform-parts', 'bare-ledger', 'portkey', 'tidegate', 'tidegate-leased']), amount),
  enqueue: (only) => enqueue(only(['bare-object', 'tidegate']), amount),
  'scan-mb-s': (only) => scan(only(['tidegate', 'tidegate-chromium', 'secretlint', 'regexp-union']), amount),
  'screen-1kb': (only) => screen(only(['tidegate', 'secretlint', 'regexp-union']), amount),
  'scanner-raw-kb': (only) => scannerSize(only(['scanner', 'with-redaction'])),
  size: (only) => size(only(['bare', 'cockatiel-stack', 'openai', 'ai-sdk', 'tidegate', 'tidegate-dialects'])),
};

const chosen = values.only?.split(',') ?? Object.keys(BENCHES);
for (const name of chosen) {
  if (!BENCHES[name]) throw new Error(`no bench "${name}": choose of ${Object.keys(BENCHES).join(', ')}`);
}
const only = (rows) => rows.filter((row) => !values.rows || values.rows.split(',').includes(row));

const started = load();
const [rows, remarks] = [[], []];
for (const name of chosen) {
  console.log(`tidegate: measuring ${name}`);
  try {
    const measured = await BENCHES[name](only);
    rows.push(...measured.rows);
    remarks.push(...measured.remarks);
  } catch (error) {
    // The other benches' figures are worth keeping.
    console.error(error);
    remarks.push(`${name} FAILED: ${error.message}`);
    process.exitCode = 1;
  }
}

console.log(`\n${table(rows, versions())}\n`);
console.log(`Node ${process.versions.node}, ${os.cpus().length} × ${os.cpus()[0]?.model ?? 'unknown processor'}`);
console.log(`load average ${started} at the start, ${load()} at the end; ratios are to the bare row above`);
for (const remark of remarks) console.log(remark);

await mkdir('target', { recursive: true });
await writeFile('target/bench.json', `${JSON.stringify(rows, null, 2)}\n`);
console.log('wrote target/bench.json');
