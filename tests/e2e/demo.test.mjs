// The demo starts on free ports, says where it is, and leaves nothing behind.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';

import { startWorker, throwAwayKeys } from '../../scripts/demo-worker.mjs';
import { DEMO, startDemo } from './support.mjs';

const answers = (url) =>
  fetch(url).then(
    (answer) => answer.ok,
    () => false,
  );

for (const signal of ['SIGINT', 'SIGTERM']) {
  test(`${signal} stops the demo with everything it started`, async () => {
    const demo = await startDemo();
    const urls = [demo.url, `${demo.controlUrl}/state`, ...(demo.workerUrl ? [`${demo.workerUrl}/livez`] : [])];
    for (const url of urls) assert.equal(await answers(url), true, url);
    assert.equal(await demo.stop(signal), 0);
    for (const url of urls) assert.equal(await answers(url), false, url);
  });
}

test('a port that is taken is replaced, and said so', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  t.after(() => holder.close());
  const { port } = holder.address();
  const child = spawn(process.execPath, [DEMO, '--port', String(port), '--no-worker'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for await (const chunk of child.stdout) {
    output += chunk;
    if (output.includes('Ctrl-C')) break;
  }
  const [, other] = output.match(new RegExp(`Port ${port} is taken; using (\\d+)\\.`)) ?? [];
  assert.ok(other, output);
  assert.match(output, new RegExp(`running at {2}http://localhost:${other}/`));
  assert.equal(await answers(`http://localhost:${other}/`), true);
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});

test('a port that is taken while the Worker starts is replaced, too', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const stops = [];
  t.after(async () => {
    holder.close();
    for (const stop of stops) await stop();
  });
  const { port } = holder.address();
  const asked = [];
  const otherPort = async (taken) => {
    asked.push(taken);
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const other = free.address().port;
    free.close();
    await once(free, 'close');
    return other;
  };
  const standIns = { groqUrl: 'http://127.0.0.1:1/v1', openrouterUrl: 'http://127.0.0.1:1/v1' };
  const origin = 'http://localhost:1';
  const worker = await startWorker({ port, otherPort, standIns, keys: throwAwayKeys(), origin, stops, ended() {} });
  assert.equal(asked[0], port);
  assert.equal(await answers(`${worker.url}/livez`), true);
});

test('a bad option is a sentence and no demo', async () => {
  const child = spawn(process.execPath, [DEMO, '--port', 'four'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let problem = '';
  child.stderr.on('data', (chunk) => (problem += chunk));
  const [code] = await once(child, 'close');
  assert.equal(code, 1);
  assert.match(problem, /--port: a whole number from 0 to 65535/);
});
