// The timer that all requests in Node share (src/wasm/timers.js), as Rust uses it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { unwaitTogether, waitTogether } from '../../src/wasm/timers.js';

const EXCHANGE = new URL('../../src/wasm/exchange.js', import.meta.url).href;
const TIMERS = new URL('../../src/wasm/timers.js', import.meta.url).href;

/** Runs a script that has the two functions, and says what it wrote and how long it lived. */
function alone(script) {
  const source = `const { waitTogether, unwaitTogether } = await import(${JSON.stringify(TIMERS)});\n${script}`;
  const began = performance.now();
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { stdout, stderr, status, ms: performance.now() - began };
}

test('each is told once, in the order of their deadlines, whatever the order they came in', async () => {
  const told = [];
  const done = (number, status, open) => told.push([number, status, open]);
  const all = [60, 20, 40, 100_000, 20].map((millis, number) => waitTogether(millis, done, number));
  const called = waitTogether(30, done, 9);
  unwaitTogether(called);
  unwaitTogether(called);
  await after(120);
  assert.deepEqual(
    told.map(([number]) => number),
    [1, 4, 2, 0],
  );
  assert.deepEqual(told[0], [1, 0, false]);
  all.forEach(unwaitTogether);
});

test('one may call another off, or begin one, when it is told', async () => {
  const told = [];
  const others = [];
  const done = (number) => {
    told.push(number);
    others.forEach(unwaitTogether);
    if (number < 10) waitTogether(5, done, number + 10);
  };
  others.push(waitTogether(10, done, 1), waitTogether(10, done, 2));
  await after(60);
  assert.equal(told.length, 2);
  assert.equal(told[1], told[0] + 10);
});

test('what one throws does not keep the others from being told', () => {
  const { stdout, stderr, status } = alone(`
    process.on('uncaughtException', ({ message }) => console.error(message));
    waitTogether(5, () => { throw new Error('a trap'); }, 0);
    waitTogether(5, (number) => console.log(number), 7);
  `);
  assert.deepEqual([stdout, stderr, status], ['7\n', 'a trap\n', 0]);
});

// Held up, the loop comes to its timers first. What has come meanwhile is a file here, an answer there.
for (const [how, begin, end] of [
  ['shared', 'waitTogether', 'unwaitTogether'],
  ['of its own', 'wait', 'unwait'],
]) {
  test(`what came while the process was held up is heard before a deadline, ${how}`, () => {
    const { stdout, status } = alone(`
      const { wait, unwait } = await import(${JSON.stringify(EXCHANGE)});
      const { readFile } = await import('node:fs');
      const timer = ${begin}(100, console.log, 'late');
      ${begin}(100, console.log, 'nothing came');
      readFile(${JSON.stringify(fileURLToPath(TIMERS))}, () => {
        console.log('came');
        ${end}(timer);
      });
      for (const until = performance.now() + 1_500; performance.now() < until;);
    `);
    assert.deepEqual([stdout.replaceAll(' 0 false', ''), status], ['came\nnothing came\n', 0]);
  });
}

test('a process waits for deadlines, not for what was called off', () => {
  const waits = alone(`waitTogether(300, (number) => console.log(number), 3);`);
  assert.deepEqual([waits.stdout, waits.status], ['3\n', 0]);
  const left = alone(`
    for (let n = 0; n < 5; n += 1) unwaitTogether(waitTogether(60_000, console.log, n));
    const last = waitTogether(60_000, console.log, 5);
    setTimeout(() => unwaitTogether(last), 10);
  `);
  assert.deepEqual([left.stdout, left.status], ['', 0]);
});
