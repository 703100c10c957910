// Findings in what a bundler made are told by their sources.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { build } from 'esbuild';

import { folder, groqKey, scanned } from './support.mjs';

async function bundled(t, sourcemap, more = {}) {
  const key = groqKey();
  const cwd = folder(t, {
    'src/main.js': "import { key } from './keys.js';\n\nconsole.log('über', key);\n",
    'src/keys.js': `// a comment\nexport const other = 1;\nexport const key =\n  '${key}';\n`,
  });
  const entry = join(cwd, 'src/main.js');
  const outfile = join(cwd, 'dist/main.js');
  await build({ entryPoints: [entry], bundle: true, minify: true, outfile, sourcemap, logLevel: 'silent', ...more });
  return { cwd, key };
}

const sources = ({ findings }) =>
  findings.map(({ path, source }) => `${path} <- ${source ? `${source.path}:${source.line}:${source.column}` : '?'}`);

test('through the map beside the file; the sources in it are read too', async (t) => {
  const { cwd } = await bundled(t, true);
  const told = sources(await scanned(cwd, ['dist']));
  assert.equal(told.length, 2);
  assert.match(told[0], /^dist\/main\.js <- src\/keys\.js:4:\d+$/u);
  assert.equal(told[1], 'dist/main.js.map <- src/keys.js:4:4');
});

test('through the map in the file', async (t) => {
  const { cwd } = await bundled(t, 'inline');
  const told = sources(await scanned(cwd, ['dist']));
  assert.match(told[0], /^dist\/main\.js <- src\/keys\.js:4:\d+$/u);
  assert.equal(told[1], 'dist/main.js <- src/keys.js:4:4');
});

test('a key that only the map still has', async (t) => {
  const key = groqKey();
  const cwd = folder(t, { 'src/a.js': `// TODO remove ${key}\nconsole.log(1);\n` });
  await build({
    entryPoints: [join(cwd, 'src/a.js')],
    minify: true,
    outfile: join(cwd, 'dist/a.js'),
    sourcemap: 'external',
    logLevel: 'silent',
  });
  assert.deepEqual(sources(await scanned(cwd, ['dist'])), ['dist/a.js.map <- src/a.js:1:16']);
});

test('without a map, with a broken one, with one that names an address', async (t) => {
  const key = groqKey();
  const cwd = folder(t, {
    'a.js': `k="${key}"`,
    'b.js': `k="${key}"\n//# sourceMappingURL=b.js.map\n`,
    'b.js.map': '{"version":3,"mappings":"!!!"',
    'c.js': `k="${key}"\n//# sourceMappingURL=https://example.org/c.js.map\n`,
    'd.js': `k="${key}"\n//# sourceMappingURL=../../../../etc/passwd\n`,
    'e.js': `k="${key}"\n//# sourceMappingURL=data:application/json;base64,AAAA\n`,
    'f.js.map': JSON.stringify({ version: 3, sources: ['x'], sourcesContent: [null], mappings: 'AAAA', key }),
  });
  const told = sources(await scanned(cwd));
  assert.deepEqual(told, ['a.js <- ?', 'b.js <- ?', 'c.js <- ?', 'd.js <- ?', 'e.js <- ?', 'f.js.map <- ?']);
});
