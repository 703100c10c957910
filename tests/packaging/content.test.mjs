// What is in the package, and that it is what the sources say.

import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { pathsIn, repositoryOf, withAddresses } from '../../scripts/links.mjs';
import { BIN, FILES, output, project, ROOT } from './support.mjs';

const files = JSON.parse(readFileSync(FILES, 'utf8'));

test('one gateway, one KDF, licences and notices; no sources, no tests', () => {
  const wasm = files.filter((file) => file.endsWith('.wasm'));
  assert.deepEqual(
    wasm.sort(),
    [
      'kdf',
      'tidegate-all',
      'tidegate-dialects-rest',
      'tidegate-dialects',
      'tidegate-rest',
      'tidegate-server',
      'tidegate',
    ].map((name) => `wasm/${name}_bg.wasm`),
  );
  const documents = ['README.md', 'SECURITY.md', 'CHANGELOG.md', 'THIRD-PARTY-NOTICES.md'];
  for (const file of ['LICENSE-MIT', 'LICENSE-APACHE', 'package.json', ...documents]) {
    assert.ok(files.includes(file), file);
  }
  for (const file of [
    'dist/worker.js',
    'dist/worker-dialects.js',
    'dist/worker-all.js',
    'dist/worker-later.js',
    'dist/worker-dialects-later.js',
    'dist/frame.html',
    'dist/frame.js',
    'dist/frame.json',
  ]) {
    assert.ok(files.includes(file), file);
  }
  for (const entry of ['web', 'node', 'workerd']) {
    assert.ok(files.includes(`dist/${entry}.js`) && files.includes(`dist/${entry}.d.ts`), entry);
  }
  const others = files.filter(
    (file) =>
      !/^((dist|wasm)\/.*\.(js|d\.ts|wasm)|dist\/frame\.(html|css|json)|[A-Z-]+(\.md)?|package\.json)$/u.test(file),
  );
  assert.deepEqual(others, []);
  assert.deepEqual(
    // The glue's own module of JavaScript lies where its source does.
    files.filter((file) => /(^|\/)(src|tests?)\/|\.test\./u.test(file) && !file.startsWith('wasm/snippets/')),
    [],
  );
});

test('it depends on nothing; only what is for React imports by name, and names it as a peer', async (t) => {
  const installed = join(await project(t, 'types'), 'node_modules', 'tidegate');
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  const { dependencies, exports, peerDependencies, peerDependenciesMeta } = manifest;
  assert.equal(dependencies, undefined);
  assert.ok(Object.values(exports['.']).every((path) => files.includes(path.slice(2))));
  const named = (file) =>
    [...readFileSync(join(installed, file), 'utf8').matchAll(/^\s*(?:import|export)\b[^'"]*?from ['"]([^'"]+)/gmu)]
      .map(([, specifier]) => specifier)
      .filter((specifier) => !/^(\.|node:)/u.test(specifier));
  const scripts = files.filter((file) => file.endsWith('.js'));
  const forReact = (file) => file.startsWith('dist/react/');
  assert.deepEqual(scripts.filter((file) => !forReact(file)).flatMap(named), []);
  const peers = Object.keys(peerDependencies).sort();
  // The plugin needs Vite's types alone.
  assert.deepEqual([...new Set(scripts.filter(forReact).flatMap(named)), 'vite'].sort(), peers);
  assert.ok(peers.every((name) => peerDependenciesMeta[name].optional));
});

test('the scanner finds nothing in the package that it is part of', async (t) => {
  const installed = join(await project(t, 'types'), 'node_modules', 'tidegate');
  const { scan } = await import(pathToFileURL(join(installed, 'dist/node.js')));
  const found = async (bytes) => (await scan(bytes)).map(({ rule, line }) => `${rule} ${line}`);
  assert.deepEqual(await found(Buffer.from(`key = "gsk_${'k3JQ9vT2mXw8ZrB5nLc7YdH1pFs6GaE4uKqW0tVoRiNjMbCxPzDy'}"`)), [
    'groq 1',
  ]);
  for (const file of files) assert.deepEqual(await found(readFileSync(join(installed, file))), [], file);
});

test('the notices name what is linked in, with its licence', () => {
  const notices = readFileSync(join(ROOT, 'pkg/THIRD-PARTY-NOTICES.md'), 'utf8');
  for (const name of ['aes-gcm', 'argon2', 'talc', 'wasm-bindgen', 'idb', 'ignore', 'smol-toml', 'trace-mapping']) {
    assert.match(notices, new RegExp(`${name} \\d+\\.\\d+\\.\\d+ \\(\\S.*\\)`, 'u'));
  }
  assert.match(notices, /Jake Archibald/u);
  assert.match(notices, /Pydantic Services/u);
  assert.match(notices, /Berri AI/u);
  assert.ok(!notices.includes(ROOT), 'no path of this machine');
  assert.doesNotMatch(notices, /## (.*, )?(syn|proptest) /u);
});

for (const document of ['README.md', 'SECURITY.md', 'CHANGELOG.md']) {
  test(`the links of ${document} lead somewhere, also away from the repository`, () => {
    const text = readFileSync(join(ROOT, document), 'utf8');
    const lost = pathsIn(text).filter((path) => !existsSync(join(ROOT, path.replace(/#.*$/u, ''))));
    assert.deepEqual(lost, []);
    const repository = { type: 'git', url: 'git+https://git.example/own/gate.git' };
    const base = repositoryOf({ repository, version: '1.2.3' });
    assert.equal(base, 'https://git.example/own/gate/blob/v1.2.3');
    const absolute = withAddresses(text, base);
    assert.deepEqual(pathsIn(absolute), []);
    assert.equal(absolute.split(`](${base}/`).length - 1, pathsIn(text).length);
    assert.equal(repositoryOf({ version: '1.2.3' }), undefined, 'no address is made up');
  });
}

test('without the Wasm nothing is packed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-bare-'));
  try {
    mkdirSync(join(folder, 'scripts'));
    for (const file of ['prepack.mjs', 'links.mjs'])
      copyFileSync(join(ROOT, 'scripts', file), join(folder, 'scripts', file));
    cpSync(join(ROOT, 'pkg/dist'), join(folder, 'pkg/dist'), { recursive: true });
    await assert.rejects(
      output(process.execPath, [join(folder, 'scripts/prepack.mjs')], { cwd: dirname(folder) }),
      /tidegate_bg\.wasm.*not built/u,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

for (const [module, moduleResolution] of [
  ['esnext', 'bundler'],
  ['nodenext', 'nodenext'],
]) {
  test(`its types, moduleResolution ${moduleResolution}`, async (t) => {
    const cwd = await project(t, 'types');
    // The oldest library that the package is for, and its own types are looked at, too.
    const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--lib', 'es2022,dom,dom.iterable'];
    const how = ['--target', 'es2022', '--module', module, '--moduleResolution', moduleResolution];
    await output(join(BIN, 'tsc'), [...options, ...how, 'consumer.ts'], { cwd });
  });
}

// Its types lead to nothing of browsers, so that a project without `dom` may look at them, too.
for (const [place, ...more] of [
  ['Node', '--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')],
  ['a Worker', '--types', join(ROOT, 'node_modules/@cloudflare/workers-types')],
]) {
  test(`its types in ${place}, without the DOM's`, async (t) => {
    const cwd = await project(t, 'types');
    const how = ['--target', 'es2022', '--lib', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler'];
    await output(join(BIN, 'tsc'), ['--noEmit', '--strict', ...how, ...more, 'server.ts'], { cwd });
  });
}
