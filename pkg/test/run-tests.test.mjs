import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const RUNNER = fileURLToPath(new URL('../../scripts/run-tests.mjs', import.meta.url));

test('tests that fail, or are killed, leave nothing in the temporary folder', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-runner-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [tests, temporary] = ['tests', 'temporary'].map((name) => join(folder, name));
  mkdirSync(tests);
  mkdirSync(temporary);
  const body = (end) => `
    import { mkdtempSync } from 'node:fs';
    import { tmpdir } from 'node:os';
    import { join } from 'node:path';
    import { test } from 'node:test';
    test('leaves a folder', () => {
      console.log('made ' + mkdtempSync(join(tmpdir(), 'left-')));
      ${end}
    });`;
  writeFileSync(join(tests, 'fails.test.mjs'), body("throw new Error('no');"));
  writeFileSync(
    join(tests, 'killed.test.mjs'),
    body("setTimeout(() => process.kill(process.pid, 'SIGKILL'), 100); return new Promise(() => {});"),
  );
  // Else the runner takes itself for a test of this one.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, [RUNNER, tests], {
    env: { ...env, TMPDIR: temporary, TEMP: temporary, TMP: temporary },
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.ok(stdout.includes(`made ${temporary}`), stdout);
  assert.deepEqual(readdirSync(temporary), []);
});
