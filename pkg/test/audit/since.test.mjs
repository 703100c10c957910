// `--since`: what commits and hands have added, in a real repository.

import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { commit, git, groqKey, put, repository, scanned, tidegate } from './support.mjs';

const told = ({ findings }) =>
  findings.map(({ path, line, commit: by }) => `${path}:${line}:${by ? 'commit' : 'hand'}`);

test('only what is new, with its line, in commits and by hand', async (t) => {
  const cwd = await repository(t, { 'old.js': `k = '${groqKey()}'\nx\ny\n`, 'quiet.js': '1\n2\n3\n4\n5\n' });
  const begin = await git(cwd, 'rev-parse', 'HEAD');
  assert.equal((await scanned(cwd, ['--since', begin])).code, 0);

  const gone = groqKey();
  put(cwd, { 'quiet.js': `1\n2\n3\nk = '${gone}'\n4\n5\n` });
  const leak = await commit(cwd, 'Add a key');
  put(cwd, { 'quiet.js': '1\n2\n3\n4\n5\n' });
  await commit(cwd, 'Take it out again');
  const history = await scanned(cwd, ['--since', begin]);
  assert.deepEqual(told(history), ['quiet.js:4:commit']);
  assert.equal(history.findings[0].commit, leak);
  assert.equal(history.code, 1, 'a commit keeps what it had');

  const staged = readFileSync(join(cwd, 'old.js'), 'utf8').replace('y\n', `z = '${groqKey()}'\n`);
  put(cwd, { 'old.js': staged, 'new/file.js': `k = '${groqKey()}'\n` });
  assert.deepEqual(told(await scanned(cwd, ['--since', 'HEAD'])), ['new/file.js:1:hand', 'old.js:3:hand']);
  await git(cwd, 'add', 'old.js');
  assert.deepEqual(told(await scanned(cwd, ['--since', 'HEAD', 'old.js'])), ['old.js:3:hand']);
  assert.deepEqual(told(await scanned(join(cwd, 'new'), ['--since', 'HEAD'])), ['file.js:1:hand']);
});

test('a key cut over lines, odd names, a moved file', async (t) => {
  const key = groqKey();
  const cwd = await repository(t, { 'from.js': `${'filler\n'.repeat(50)}k = '${groqKey()}'\n` });
  const name = 'päth "quoted"\tand tab.js';
  writeFileSync(join(cwd, name), `++ b/other.js\nk = '${key}'\n`);
  await git(cwd, 'mv', 'from.js', 'to.js');
  await commit(cwd, 'Move');
  const result = await scanned(cwd, ['--since', 'HEAD~1']);
  assert.deepEqual(told(result), [`${name}:2:commit`], 'what was only moved is not new');
});

test('works from a folder below, and allows by comment', async (t) => {
  const key = groqKey();
  const cwd = await repository(t, { 'sub/a.js': '' });
  const [{ rule }] = (await scanned(await repository(t, { 'x.js': key }))).findings;
  put(cwd, { 'sub/a.js': `k = '${key}' // tidegate-allow ${rule}: only a test\n` });
  await commit(cwd, 'More');
  const result = await scanned(join(cwd, 'sub'), ['--since', 'HEAD~1']);
  assert.equal(result.code, 0);
  assert.deepEqual(told(result), ['a.js:1:commit']);
});

test('a revision that is none is told', async (t) => {
  const cwd = await repository(t, { 'a.js': '' });
  for (const revision of ['nothing', '--output=x', '']) {
    const { code, stderr } = await tidegate(cwd, ['scan', `--since=${revision}`]);
    assert.equal(code, 2);
    assert.match(stderr, /is no commit of this repository/u);
  }
  rmSync(join(cwd, '.git'), { recursive: true });
});
