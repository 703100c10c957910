// `tidegate/vite` in real builds and a real development server.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

import { tidegate } from 'tidegate/vite';
import { build, createServer } from 'vite';

import { folder, googleKey, groqKey, put, random, scanned, tidegate as command } from './support.mjs';

// Within the repository, so that what Vite resolves from the project is found.
const TARGET = fileURLToPath(new URL('../../../target/vite-plugin', import.meta.url));
const PAGE = '<!doctype html><html><body><script type="module" src="/src/main.js"></script></body></html>';

const project = (t, files) => folder(t, { 'index.html': PAGE, 'src/main.js': 'console.log(1);\n', ...files }, TARGET);

async function built(root, options = {}, config = {}) {
  const warnings = [];
  const customLogger = { info() {}, warn: (text) => warnings.push(text), warnOnce() {}, error() {}, clearScreen() {} };
  customLogger.hasErrorLogged = () => false;
  await build({ root, configFile: false, customLogger, plugins: [tidegate(options)], ...config });
  return warnings;
}

test('an option that there is not is refused: with a slip less would be looked for', () => {
  assert.throws(() => tidegate({ failon: 'ambiguous' }), /no option failon, only warn, failOn,/u);
  assert.throws(() => tidegate({ failOn: 'ambigous' }), /failOn is 'secret' or 'ambiguous'/u);
  assert.equal(tidegate({ failOn: undefined, warn: undefined }).name, 'tidegate');
});

test('a clean build passes', async (t) => {
  const root = project(t, {});
  assert.deepEqual(await built(root), []);
  assert.ok(existsSync(join(root, 'dist/index.html')));
});

for (const sourcemap of [false, true, 'inline', 'hidden']) {
  test(`a key in a chunk fails the build and names the line, sourcemap ${sourcemap}`, async (t) => {
    const key = groqKey();
    const root = project(t, {
      'src/main.js': "import { key } from './keys.js';\nconsole.log(key);\n",
      'src/keys.js': `// one\n// two\nexport const key =\n  '${key}';\n`,
    });
    await assert.rejects(built(root, {}, { build: { sourcemap } }), (error) => {
      assert.match(error.message, /in {3}src\/keys\.js:4:4/u);
      assert.doesNotMatch(error.message, /in {3}\.\./u);
      assert.match(error.message, /goes dist\/assets\/index-[\w-]+\.js:\d+:\d+/u);
      assert.match(error.message, /https:\/\//u);
      assert.ok(!error.message.includes(key), 'the key is not shown');
      return true;
    });
    assert.ok(!existsSync(join(root, 'dist/index.html')), 'nothing is written');
  });
}

for (const [where, files, place] of [
  ['HTML', { 'index.html': PAGE.replace('<body>', () => `<body data-key="KEY">`) }, /index\.html:1:/u],
  [
    'an asset',
    {
      'src/main.js': "import url from './data.txt?url';\nconsole.log(url);",
      'src/data.txt': `${'x\n'.repeat(4000)}KEY`,
    },
    /data.*\.txt:4001:1/u,
  ],
  ['CSS', { 'src/main.js': "import './a.css';", 'src/a.css': 'a::after { content: "KEY"; }' }, /src\/a\.css:1:/u],
  ['the public folder', { 'public/config.json': '{"key":"KEY"}' }, /public\/config\.json:1:9/u],
  ['a comment that only the map has', { 'src/main.js': '// KEY\nconsole.log(1);' }, /src\/main\.js:1:4/u],
]) {
  test(`a key in ${where} fails the build`, async (t) => {
    const key = groqKey();
    const own = Object.entries(files).map(([name, text]) => [name, text.replace('KEY', key)]);
    const root = project(t, Object.fromEntries(own));
    await assert.rejects(built(root, {}, { build: { sourcemap: true } }), place);
  });
}

test('values of env files, in any form; those of public names are meant to be there', async (t) => {
  const [secret, address] = [random(32), random(20)];
  const root = project(t, {
    '.env': `VITE_ADDRESS_KEY=${address}\n`,
    '.env.production': `TITLE=Tide\nDATABASE_PASSWORD=${secret}\n`,
    '.env.staging': 'DATABASE_PASSWORD=not-this-mode-at-all-1\n',
    'src/main.js': 'console.log(import.meta.env.VITE_ADDRESS_KEY, __CONFIG__, "not-this-mode-at-all-1");\n',
  });
  assert.deepEqual(await built(root, {}, { define: { __CONFIG__: '1' } }), []);
  const define = { __CONFIG__: JSON.stringify(Buffer.from(`db:${secret}`).toString('base64')) };
  await assert.rejects(built(root, {}, { define }), (error) => {
    assert.match(error.message, /Env value: DATABASE_PASSWORD \(\.env\.production:2\)/u);
    assert.match(error.message, /in {3}\.env\.production:2:/u);
    assert.ok(!error.message.includes(secret));
    return true;
  });
  await built(root, { envFiles: false }, { define });
  const values = [{ name: 'DB_PASSWORD', value: secret }];
  await assert.rejects(built(root, { envFiles: false, values }, { define }), /Env value: DB_PASSWORD/u);
});

test('options: warn, failOn, a baseline, comments in the source', async (t) => {
  const key = groqKey();
  const root = project(t, { 'src/main.js': `console.log('${key}', '${googleKey()}');\n` });
  const warnings = await built(root, { warn: true });
  assert.match(warnings.join('\n'), /src\/main\.js:1:14/u);
  await command(root, ['scan', 'src', '--update-baseline']);
  assert.deepEqual(await built(root, { baseline: '.tidegate-baseline.json', failOn: 'ambiguous' }), []);
  put(root, { 'src/main.js': `console.log('${googleKey()}');\n` });
  assert.deepEqual(await built(root), []);
  await assert.rejects(built(root, { failOn: 'ambiguous' }));
  await assert.rejects(built(root, { baseline: 'none.json' }), /none\.json: no such file/u);
  const [{ rule }] = (await scanned(folder(t, { 'a.js': key }))).findings;
  put(root, { 'src/main.js': `// tidegate-allow ${rule}: a test's own\nconsole.log('${key}');\n` });
  assert.deepEqual(await built(root), []);
});

test("a server's build is its own affair, unless asked", async (t) => {
  const root = project(t, { 'src/server.js': `export const key = '${groqKey()}';\n` });
  const config = { build: { ssr: 'src/server.js' } };
  assert.deepEqual(await built(root, {}, config), []);
  await assert.rejects(built(root, { server: true }, config), /src\/server\.js:1:/u);
});

/** The plugin as Vite 5 runs it, which knows no environments. */
function beforeEnvironments(plugin) {
  const { handler } = plugin.generateBundle;
  const called = (context, args) => handler.apply(Object.create(context, { environment: { value: undefined } }), args);
  return {
    ...plugin,
    generateBundle: {
      order: 'post',
      handler(...args) {
        return called(this, args);
      },
    },
  };
}

test('what a build is for is known without environments, too', async (t) => {
  const key = groqKey();
  const root = project(t, {
    'src/main.js': `console.log('${key}');\n`,
    'src/server.js': `export const key = '${key}';\n`,
  });
  const made = (plugin, config) => build({ root, configFile: false, logLevel: 'silent', plugins: [plugin], ...config });
  await assert.rejects(made(beforeEnvironments(tidegate()), {}), /src\/main\.js:1:/u);
  const config = { build: { ssr: 'src/server.js' } };
  await made(beforeEnvironments(tidegate()), config);
  await assert.rejects(made(beforeEnvironments(tidegate({ server: true })), config), /src\/server\.js:1:/u);
});

test('the development server tells the page, once for each module that holds a key', async (t) => {
  const key = groqKey();
  const root = project(t, { 'src/main.js': `console.log('${key}');\n`, 'src/clean.js': 'export {};\n' });
  for (const warn of [false, true]) {
    const logged = [];
    const customLogger = { info() {}, warn() {}, warnOnce() {}, error: (text) => logged.push(text), clearScreen() {} };
    customLogger.hasErrorLogged = () => false;
    const server = await createServer({
      root,
      configFile: false,
      customLogger,
      plugins: [tidegate({ warn })],
      server: { middlewareMode: true, ws: false, hmr: false },
    });
    const sent = [];
    server.ws.send = (payload) => sent.push(payload);
    try {
      const { code } = await server.transformRequest('/src/main.js');
      assert.match(code, /console/u, 'the module is served all the same');
      await server.transformRequest('/src/clean.js');
      await server.transformIndexHtml('/index.html', PAGE);
    } finally {
      await server.close();
    }
    assert.equal(logged.length, 1);
    assert.ok(!logged.join().includes(key));
    if (warn) assert.deepEqual(sent, []);
    else {
      assert.equal(sent.length, 1);
      assert.equal(sent[0].type, 'error');
      assert.match(sent[0].err.message, /src\/main\.js:1:14/u);
      assert.deepEqual(sent[0].err.loc.line, 1);
    }
  }
});
