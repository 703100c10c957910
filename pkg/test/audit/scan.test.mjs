// `tidegate scan` as it is called: which files it reads, what it says, how it ends.

import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { folder, git, googleKey, groqKey, put, random, repository, scanned, tidegate } from './support.mjs';

const places = ({ findings }) => findings.map(({ path, line }) => `${path}:${line}`);

test('finds a key, says where, never prints it', async (t) => {
  const key = groqKey();
  const cwd = folder(t, { 'src/app.js': `// first\nconst groq = '${key}';\n`, 'readme.md': 'nothing' });
  const { code, stdout, stderr } = await tidegate(cwd, ['scan']);
  assert.equal(code, 1, stderr);
  assert.match(stdout, /src\/app\.js:2:15/u);
  assert.match(stdout, /1 secret in 1 place\./u);
  assert.match(stdout, /2 files/u);
  assert.equal(stderr, '', 'no progress where there is no terminal');
  for (const format of ['text', 'json', 'sarif', 'github']) {
    const told = await tidegate(cwd, ['scan', '--format', format]);
    assert.equal(told.code, 1, format);
    assert.ok(!told.stdout.includes(key), `${format} shows the key`);
  }
});

test('a clean folder ends with 0', async (t) => {
  const cwd = folder(t, { 'a.js': 'export const answer = 42;\n' });
  const { code, stdout } = await tidegate(cwd, ['scan']);
  assert.equal(code, 0);
  assert.match(stdout, /No keys found\./u);
});

test('--fail-on decides about keys that may be public', async (t) => {
  const cwd = folder(t, { 'a.js': `const maps = '${googleKey()}';\n` });
  assert.equal((await scanned(cwd)).code, 0);
  const strict = await scanned(cwd, ['--fail-on', 'ambiguous']);
  assert.equal(strict.code, 1);
  assert.equal(strict.failed, 1);
});

test('.gitignore holds, in every folder, with its exceptions', async (t) => {
  const text = `k = '${groqKey()}'\n`;
  const cwd = await repository(t, {
    '.gitignore': '*.log\n/out/\n!keep.log\n',
    'a.log': text,
    'keep.log': text,
    'out/a.js': text,
    'deep/out/a.js': text,
    'deep/.gitignore': 'local.*\n!local.js\n',
    'deep/local.txt': text,
    'deep/local.js': text,
    'node_modules/x/index.js': text,
  });
  assert.deepEqual(places(await scanned(cwd)), ['deep/local.js:1', 'deep/out/a.js:1', 'keep.log:1']);
  assert.deepEqual(places(await scanned(cwd, ['out'])), ['out/a.js:1'], 'what is named is read');
  assert.deepEqual(places(await scanned(cwd, ['a.log'])), ['a.log:1']);
  assert.deepEqual(places(await scanned(join(cwd, 'deep'))), ['local.js:1', 'out/a.js:1'], 'rules from above hold');
  assert.deepEqual(places(await scanned(cwd, ['--exclude', 'deep/', '.'])), ['keep.log:1']);
});

test('what git tracks is read, whatever .gitignore says', async (t) => {
  const cwd = await repository(t, { '.gitignore': '.env\n', 'a.js': '' });
  put(cwd, { '.env': `GROQ_API_KEY=${groqKey()}\n` });
  assert.equal((await scanned(cwd)).code, 0);
  await git(cwd, 'add', '-f', '.env');
  assert.deepEqual(places(await scanned(cwd)), ['.env:1']);
});

test('links are not followed, binaries passed over unless asked for, UTF-16 is text', async (t) => {
  const key = groqKey();
  const outside = folder(t, { 'secret.txt': key });
  const cwd = folder(t, {
    'image.png': Buffer.concat([Buffer.from([0x89, 0x50, 0, 0]), Buffer.from(key)]),
    'wide.txt': Buffer.from(`\ufeffone\ntwo ${key}\n`, 'utf16le'),
  });
  symlinkSync(outside, join(cwd, 'link'));
  const plain = await scanned(cwd);
  assert.deepEqual(places(plain), ['wide.txt:2']);
  assert.equal(plain.summary.binary, 1);
  assert.deepEqual(places(await scanned(cwd, ['--binary'])), ['image.png:1', 'wide.txt:2']);
});

test('a big file is streamed, with places as exact as in a small one', async (t) => {
  const key = groqKey();
  const line = `${'all quiet on the water '.repeat(4)}\n`;
  const lines = Math.ceil((33 * 1024 * 1024) / line.length);
  const cwd = folder(t, { 'big.log': `${line.repeat(lines)}key ${key} end\n${line}` });
  const { findings, summary } = await scanned(cwd);
  assert.deepEqual(
    findings.map(({ line: at, column }) => [at, column]),
    [[lines + 1, 5]],
  );
  assert.ok(summary.bytes > 33 * 1024 * 1024);
});

test('an allow comment needs the rule and a reason, and holds for its own line or the next', async (t) => {
  const key = groqKey();
  const [{ rule }] = (await scanned(folder(t, { 'a.js': `k = '${key}'` }))).findings;
  const cwd = folder(t, {
    'same.js': `k = '${key}'; // tidegate-allow ${rule}: only a test\n`,
    'above.py': `# tidegate-allow ${rule}: only a test\nk = '${key}'\n`,
    'html.html': `<!-- tidegate-allow ${rule}: only a test -->\n<p>${key}</p>\n`,
    'z-two-above.js': `// tidegate-allow ${rule}: too far away\n\nk = '${key}'\n`,
    'z-no-reason.js': `k = '${key}'; // tidegate-allow ${rule}\n`,
    'z-other.js': `k = '${key}'; // tidegate-allow other-rule: only a test\n`,
    'z-code-above.js': `k = '${key}'; // tidegate-allow ${rule}: ok\nm = '${key}'\n`,
    'z-minified.js': `k = '${key}';${'x'.repeat(1000)}// tidegate-allow ${rule}: whole bundle\n`,
  });
  const told = await scanned(cwd);
  const open = told.findings.filter(({ pardon }) => !pardon);
  assert.deepEqual(
    open.map(({ path, line }) => `${path}:${line}`),
    ['z-code-above.js:2', 'z-minified.js:1', 'z-no-reason.js:1', 'z-other.js:1', 'z-two-above.js:3'],
  );
  const notes = Object.fromEntries(open.map(({ path, note }) => [path, note]));
  assert.match(notes['z-no-reason.js'], /gives no reason/u);
  assert.match(notes['z-other.js'], /for other-rule/u);
  const allowed = told.findings.filter(({ pardon }) => pardon);
  assert.deepEqual(new Set(allowed.map(({ pardon }) => pardon.reason)), new Set(['only a test', 'ok']));
  assert.equal(told.code, 1);
});

test('--values looks for the values of secret variables, in other forms too', async (t) => {
  const password = random(24);
  const cwd = folder(t, {
    '.env': `TITLE=Tide\nDATABASE_PASSWORD="${password}"\n`,
    'dist/a.js': `connect('${password}')`,
    'dist/b.js': `atob('${Buffer.from(`xx${password}`).toString('base64')}')`,
  });
  assert.equal((await scanned(cwd, ['dist'])).code, 0, 'no form tells a password');
  for (const paths of [['dist'], ['.']]) {
    const told = await scanned(cwd, ['--values', '.env', ...paths]);
    assert.equal(told.code, 1);
    assert.deepEqual(places(told), ['dist/a.js:1', 'dist/b.js:1'], 'not where it belongs');
    assert.ok(told.findings.every(({ preview }) => preview === 'DATABASE_PASSWORD (.env:2)'));
    assert.equal(new Set(told.findings.map(({ fingerprint }) => fingerprint)).size, 1);
    assert.ok(!JSON.stringify(told).includes(password));
  }
  const text = await tidegate(cwd, ['scan', '--values', '.env', 'dist']);
  assert.match(text.stdout, /^Env value {2}secret, high/mu);
  put(cwd, { 'none.env': 'TITLE=Tide\n' });
  const none = await scanned(cwd, ['--values', 'none.env', 'dist']);
  assert.match(none.notes.join(), /no value in none\.env/u);
});

test('reads the standard input', async (t) => {
  const { spawnSync } = await import('node:child_process');
  const { CLI } = await import('./support.mjs');
  const { status, stdout } = spawnSync(process.execPath, [CLI, 'scan', '-', '--format', 'json'], {
    cwd: folder(t),
    input: `a log line\nAuthorization: Bearer ${groqKey()}\n`,
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.deepEqual(places(JSON.parse(stdout)), ['standard input:2']);
});

test('a wrong call ends with 2 and one sentence', async (t) => {
  const cwd = folder(t, { 'a.js': '', 'bad.json': '{', 'old.json': '{"version":2}' });
  for (const [args, words] of [
    [['scan', 'nowhere'], /nowhere: no such file or folder/u],
    [['scan', '--bogus'], /--bogus/u],
    [['scan', '--format', 'xml'], /--format: one of text, json, sarif, github/u],
    [['scan', '--fail-on', 'all'], /--fail-on: one of secret, ambiguous/u],
    [['scan', '--since', 'main'], /--since needs a git repository/u],
    [['scan', '--baseline', 'none.json'], /none\.json: no such file/u],
    [['scan', '--baseline', 'bad.json'], /bad\.json: is not JSON/u],
    [['scan', '--baseline', 'old.json'], /old\.json: version/u],
    [['scan', '--values', 'none.env'], /--values: none\.env: no such file/u],
    [['scan', '--update-baseline', '--days', '1000'], /--days/u],
    [['sacn'], /sacn is no command/u],
  ]) {
    const { code, stdout, stderr } = await tidegate(cwd, args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, words);
    assert.doesNotMatch(stderr, /\n\s+at /u, 'no stack');
    assert.equal(stdout, '');
  }
});

test('--help and --version', async (t) => {
  const cwd = folder(t);
  for (const [args, words] of [
    [[], /tidegate scan/u],
    [['scan', '--help'], /--update-baseline/u],
    [['validate', '-h'], /--mode/u],
    [['--version'], /^\d+\.\d+\.\d+\n$/u],
  ]) {
    const { code, stdout } = await tidegate(cwd, args);
    assert.equal(code, 0);
    assert.match(stdout, words);
  }
});

test('no name of a file reaches the terminal with its escapes', async (t) => {
  const cwd = folder(t, { 'a\u001b[31m\u202e.js': `k = '${groqKey()}'` });
  const { stdout } = await tidegate(cwd, ['scan']);
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(stdout, /[\u001b\u202e]/u);
});
