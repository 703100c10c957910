// The seeded script on every host: natively, and one Wasm in Node, Chromium and workerd.

import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';
import { createTestHarness } from 'wrangler';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const WASM = join(ROOT, 'target/wasm-testing');
const GLUE = 'testing.js';
const BYTES = 'testing_bg.wasm';

const CHROME_ARGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run'];

/** Runs a command in the repository and gives what it prints. */
function run(command, args) {
  const ended = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (ended.status !== 0) throw new Error(`${command} ended with ${ended.status}: ${ended.stderr}`);
  return ended.stdout;
}

export const buildWasm = () => run('scripts/build-wasm-testing.sh', []);

export function natively(seed, requests) {
  const cargo = ['run', '--quiet', '--all-features', '--example', 'simulate', '--'];
  return run('cargo', [...cargo, String(seed), String(requests)]);
}

export async function inNode(seed, requests) {
  const { initSync, simulate } = await import(join(WASM, GLUE));
  initSync({ module: readFileSync(join(WASM, BYTES)) });
  return simulate(seed, requests);
}

export async function inChromium(seed, requests) {
  const types = { '.js': 'text/javascript', '.wasm': 'application/wasm' };
  const server = createServer((request, response) => {
    // The glue brings modules of its own along.
    const name = types[extname(request.url)] ? request.url : undefined;
    response.setHeader('content-type', name ? types[extname(name)] : 'text/html');
    response.end(name ? readFileSync(join(WASM, name)) : '<!doctype html><title>simulate</title>');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const browser = await chromium.launch({
    executablePath: process.env.CHROME || '/usr/bin/chromium',
    args: CHROME_ARGS,
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const simulate = async ([glue, seed, requests]) => {
      const { default: init, simulate } = await import(glue);
      await init();
      return simulate(seed, requests);
    };
    return await page.evaluate(simulate, [`/${GLUE}`, seed, requests]);
  } finally {
    await browser.close();
    server.close();
  }
}

export async function inWorkerd(seed, requests) {
  const main = join(ROOT, 'tests/determinism/worker.mjs');
  const config = { name: 'simulate', main, compatibility_date: '2026-08-22' };
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false'; // else it asks the network where it is
  const harness = createTestHarness({ workers: [{ config }] });
  try {
    await harness.listen();
    const answer = await harness.fetch(`/${seed}/${requests}`);
    if (!answer.ok) throw new Error(`workerd: ${answer.status} ${await answer.text()}`);
    return await answer.text();
  } finally {
    await harness.close();
  }
}
