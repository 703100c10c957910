// `tidegate validate` on projects with one thing wrong each.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

import { folder, git, groqKey, put, random, repository, tidegate } from './support.mjs';

const TARGET = fileURLToPath(new URL('../../../target/validate', import.meta.url));
const PACKAGE = { 'package.json': '{"dependencies":{"a":"1.2.3"}}', 'package-lock.json': '{}' };

async function validated(cwd, args = []) {
  const { code, stdout, stderr } = await tidegate(cwd, ['validate', '--format', 'json', ...args]);
  if (code === 2) throw new Error(stderr);
  const { checks, summary } = JSON.parse(stdout);
  for (const check of checks) {
    if (check.level === 'fail' || check.level === 'warn') assert.ok(check.next, `${check.id} says what to do`);
  }
  return { code, checks, summary, of: (id) => checks.find((check) => check.id === id), text: stdout };
}

test('a sound project passes', async (t) => {
  const cwd = await repository(t, { ...PACKAGE, '.gitignore': '.env\ndist\n', 'dist/a.js': 'console.log(1)' });
  put(cwd, { '.env': `GROQ_API_KEY=${groqKey()}\nVITE_TITLE=Tide\n`, '.env.example': 'GROQ_API_KEY=your-key-here\n' });
  const { code, summary, of } = await validated(cwd);
  assert.deepEqual([code, summary], [0, { fail: 0, warn: 0, skip: 0 }]);
  for (const id of ['env-files', 'output', 'dependencies']) assert.equal(of(id).level, 'pass', id);
});

test('a secret behind a name that publishes it, by form and by name', async (t) => {
  const [key, password] = [groqKey(), random(24)];
  const cwd = folder(t, {
    ...PACKAGE,
    '.env': `A=1\nVITE_GROQ=${key}\n`,
    '.env.local': `NEXT_PUBLIC_DB_PASSWORD=${password}\nVITE_MAP_KEY=${random(30)}\n`,
  });
  const { code, checks, text } = await validated(cwd);
  assert.equal(code, 1);
  const found = checks.filter(({ id }) => id === 'env-public-name');
  assert.deepEqual(
    found.map(({ where, level }) => [where, level]),
    [
      ['.env:2', 'fail'],
      ['.env.local:1', 'fail'],
      ['.env.local:2', 'warn'],
    ],
  );
  assert.match(found[0].next, /without VITE_/u);
  assert.ok(!text.includes(key) && !text.includes(password));
});

test('keys that their variable cannot mean, by file and line and without the value', async (t) => {
  const openai = `sk-proj-${random(74)}T3BlbkFJ${random(74)}`;
  const cwd = folder(t, {
    ...PACKAGE,
    '.env': [
      `GROQ_API_KEY=${openai}`,
      `OPENROUTER_API_KEY=sk-or-v1-${'ab'.repeat(20)}`,
      'ANTHROPIC_API_KEY=your-key-here',
      `HF_TOKEN=${random(20)}`,
      `DEEPSEEK_API_KEY=${groqKey()}`,
      'DEEPSEEK_BASE_URL=https://llm.example.org/v1',
      'XAI_API_KEY=$OTHER',
      `OPENAI_API_KEY="${openai}"`,
      '',
    ].join('\n'),
    '.env.example': 'GROQ_API_KEY=your-key-here\n',
  });
  const { code, checks, text } = await validated(cwd);
  assert.equal(code, 1);
  assert.deepEqual(
    checks
      .filter(({ id }) => id === 'env-key-format')
      .map(({ where, level, title }) => [where, level, title])
      .sort(),
    [
      ['.env:1', 'fail', 'GROQ_API_KEY holds no key of groq: it is a key of OpenAI'],
      [
        '.env:2',
        'fail',
        'OPENROUTER_API_KEY holds no key of openrouter: it is cut short: an OpenRouter key has 73 characters',
      ],
      ['.env:3', 'warn', 'ANTHROPIC_API_KEY holds no key of anthropic: it is a placeholder, not a key'],
      ['.env:4', 'warn', 'HF_TOKEN: This does not look like a Hugging Face key: hf_ and 34 letters.'],
    ],
  );
  assert.ok(!text.includes(openai) && !text.includes('your-key'));
});

test('env files in git, and those that git would add', async (t) => {
  const cwd = await repository(t, { ...PACKAGE, '.env.production': `GROQ_API_KEY=${groqKey()}\n` });
  put(cwd, { '.env.local': `GROQ_API_KEY=${groqKey()}\n`, '.env.example': `GROQ_API_KEY=${groqKey()}\n` });
  const { code, of } = await validated(cwd);
  assert.equal(code, 1);
  assert.equal(of('env-tracked').where, '.env.production');
  assert.match(of('env-tracked').next, /git rm --cached \.env\.production/u);
  assert.deepEqual([of('env-not-ignored').where, of('env-not-ignored').level], ['.env.local', 'warn']);
  assert.equal(of('env-example').where, '.env.example:1');
  put(cwd, { '.npmrc': `//registry.example.org/:_authToken=${groqKey()}\n` });
  assert.equal((await validated(cwd)).of('credentials-tracked'), undefined, 'nobody else has it');
  await git(cwd, 'add', '.npmrc');
  assert.equal((await validated(cwd)).of('credentials-tracked').where, '.npmrc:1');
});

test('what is built: keys, values, source maps', async (t) => {
  const secret = random(32);
  const cwd = folder(t, {
    ...PACKAGE,
    '.env': `SESSION_SECRET=${secret}\n`,
    'dist/assets/a.js': `x="${secret}"`,
    'dist/assets/a.js.map': '{"version":3,"sources":[],"mappings":""}',
    'public/key.txt': groqKey(),
  });
  const { code, checks, of } = await validated(cwd);
  assert.equal(code, 1);
  const places = checks.filter(({ id }) => id === 'output-secret').map(({ where }) => where);
  assert.deepEqual(places.sort(), ['dist/assets/a.js:1:4', 'public/key.txt:1:1']);
  assert.equal(of('output-maps').level, 'warn');
  const bare = await validated(folder(t, PACKAGE));
  assert.deepEqual([bare.code, bare.of('output').level], [0, 'skip']);
});

test('dependencies', async (t) => {
  const dependencies = {
    a: '*',
    b: 'http://example.org/b.tgz',
    c: 'git+https://me:pass@example.org/c.git',
    d: '^1.0.0',
  };
  const { code, checks } = await validated(folder(t, { 'package.json': JSON.stringify({ dependencies }) }));
  assert.equal(code, 1);
  assert.deepEqual(
    checks.filter(({ area }) => area === 'dependencies').map(({ id, level }) => [id, level]),
    [
      ['dependency-range', 'warn'],
      ['dependency-plain', 'fail'],
      ['dependency-password', 'fail'],
      ['lock-file', 'warn'],
    ],
  );
  const broken = await validated(folder(t, { 'package.json': '{' }));
  assert.equal(broken.of('package-json').level, 'fail');
});

test('the Vite configuration, resolved by the project’s own Vite', async (t) => {
  const secret = random(32);
  const cwd = folder(
    t,
    {
      ...PACKAGE,
      '.env.production': `API_SECRET=${secret}\nAPP_TOKEN=${groqKey()}\n`,
      'vite.config.js': `export default {
        envPrefix: 'APP_',
        define: { __SECRET__: ${JSON.stringify(JSON.stringify(secret))}, __VERSION__: '"1"' },
        build: { sourcemap: true, outDir: 'site' },
      };`,
      'site/index.html': '<p>hello</p>',
    },
    TARGET,
  );
  const { code, of } = await validated(cwd);
  assert.equal(code, 1);
  assert.match(of('vite-define').title, /__SECRET__/u);
  assert.equal(of('vite-define').where, 'vite.config.js');
  assert.match(of('env-public-name').title, /APP_TOKEN/u);
  assert.equal(of('source-maps').level, 'warn');
  assert.equal(of('vite-plugin').level, 'warn');
  assert.match(of('output').title, /^site: 1 files?, no secret/u);
  put(cwd, {
    'vite.config.js': `import tidegate from ${JSON.stringify(fileURLToPath(import.meta.resolve('tidegate/vite')))};
      export default { plugins: [tidegate()] };`,
  });
  const better = await validated(cwd);
  for (const id of ['vite-plugin', 'source-maps', 'vite-define']) assert.equal(better.of(id), undefined, id);
  put(cwd, { 'vite.config.js': 'export default {{' });
  assert.equal((await validated(cwd)).of('vite-config').level, 'skip');
});

for (const [file, text] of [
  [
    'wrangler.toml',
    (key, password) =>
      `name = "w"\n[vars]\nGROQ_API_KEY = "${key}"\nREGION = "eu"\n[env.live.vars]\nDB_PASSWORD = "${password}"\n`,
  ],
  [
    'wrangler.jsonc',
    (key, password) => `{
  // a comment with "quotes"
  "vars": { "GROQ_API_KEY": "${key}", "REGION": "https://example.org//x", },
  "env": { "live": { "vars": {
    "nested": { "DB_PASSWORD": "${password}" } } } }
}`,
  ],
]) {
  test(`secrets under vars in ${file}`, async (t) => {
    const [key, password] = [groqKey(), random(24)];
    const cwd = folder(t, { ...PACKAGE, [file]: text(key, password) });
    const { code, checks } = await validated(cwd);
    assert.equal(code, 1);
    const own = checks.filter(({ id }) => id === 'wrangler-vars');
    assert.deepEqual(
      own.map(({ where }) => where),
      file.endsWith('toml') ? [`${file}:3`, `${file}:6`] : [`${file}:3`, `${file}:5`],
    );
    assert.match(own[0].next, /npx wrangler secret put GROQ_API_KEY\. /u);
    assert.match(own[1].next, /DB_PASSWORD --env live\. /u);
    put(cwd, { [file]: text('', '') });
    assert.equal((await validated(cwd)).checks.find(({ area }) => area === 'wrangler').level, 'pass');
    put(cwd, { [file]: '{[' });
    assert.match((await validated(cwd)).checks.find(({ id }) => id === 'wrangler-config').title, /not readable/u);
  });
}

test('told to a person; a folder that is none', async (t) => {
  const cwd = folder(t, { ...PACKAGE, '.env': `VITE_KEY=${groqKey()}\n` });
  const { code, stdout } = await tidegate(cwd, ['validate']);
  assert.equal(code, 1);
  assert.match(stdout, /FAIL {2}VITE_KEY is published by its name/u);
  assert.match(stdout, /1 thing to put right/u);
  const none = await tidegate(cwd, ['validate', join(cwd, 'none')]);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /no such folder/u);
});
