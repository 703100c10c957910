// Run by `npm pack` in pkg/: copies licences and documents there and writes the notices of what the package contains from others.
// Offline and the same on every run. Fails when something that ships was not built.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { repositoryOf, withAddresses } from './links.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PKG = join(ROOT, 'pkg');
const BUILT = [
  'wasm/tidegate_bg.wasm',
  'wasm/tidegate-rest_bg.wasm',
  'wasm/tidegate-dialects_bg.wasm',
  'wasm/tidegate-dialects-rest_bg.wasm',
  'wasm/tidegate-all_bg.wasm',
  'wasm/tidegate-server_bg.wasm',
  'wasm/kdf_bg.wasm',
  'wasm/tidegate.js',
  'wasm/tidegate-rest.js',
  'wasm/tidegate-dialects-rest.js',
  'wasm/kdf.js',
  'dist/web.js',
  'dist/worker.js',
  'dist/worker-dialects.js',
  'dist/worker-later.js',
  'dist/worker-dialects-later.js',
  'dist/worker-all.js',
  'dist/frame.html',
];
/** What esbuild bundles into dist/, with what that needs itself. */
const BUNDLED = [
  'idb',
  'ignore',
  '@jridgewell/trace-mapping',
  '@jridgewell/resolve-uri',
  '@jridgewell/sourcemap-codec',
  'smol-toml',
];
/** What is told to who has the package, too. */
const COPIED = ['LICENSE-MIT', 'LICENSE-APACHE', 'README.md', 'SECURITY.md', 'CHANGELOG.md'];
const VARIANTS = [[], ['--no-default-features', '--features', 'kdf']];

const missing = BUILT.filter((file) => !existsSync(join(PKG, file)) || statSync(join(PKG, file)).size === 0);
if (missing.length > 0) {
  console.error(`prepack: ${missing.join(', ')} not built: run scripts/build.sh first`);
  process.exit(1);
}

const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** The texts to pass on. Of a choice of licences the MIT one, which is ours too, with whatever applies beside it. */
function licenceText(folder) {
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const mit = files.some((file) => /mit/i.test(file));
  return files
    .filter((file) => statSync(join(folder, file)).isFile() && !(mit && /apache|unlicen[cs]e/i.test(file)))
    .sort(order)
    .map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim())
    .join('\n\n');
}

/** The crates that are linked into one variant of the Wasm: no build scripts, no macros, no tests. */
function crates(features) {
  const { packages, resolve } = JSON.parse(
    execFileSync(
      'cargo',
      ['metadata', '--offline', '--locked', '--format-version=1', '--filter-platform=wasm32-unknown-unknown'].concat(
        features,
      ),
      { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 },
    ),
  );
  const byId = new Map(packages.map((one) => [one.id, one]));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const linked = new Map();
  const visit = (id) => {
    const crate = byId.get(id);
    if (linked.has(id) || crate.targets.some(({ kind }) => kind.includes('proc-macro'))) return;
    linked.set(id, crate);
    for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) {
      if (kinds.some(({ kind }) => kind === null)) visit(pkg);
    }
  };
  visit(resolve.root);
  linked.delete(resolve.root);
  return [...linked.values()].map(({ name, version, license, authors, manifest_path: manifest }) => ({
    name,
    version,
    licence: license,
    text: licenceText(dirname(manifest)) || authors.join(', '),
  }));
}

/** What esbuild puts into dist/. */
function npmPackage(name) {
  const folder = join(ROOT, 'node_modules', name);
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return { name, version, licence: license, text: licenceText(folder) };
}

const parts = new Map();
for (const part of [...VARIANTS.flatMap(crates), ...BUNDLED.map(npmPackage)])
  parts.set(`${part.name} ${part.version}`, part);

const byText = new Map();
for (const [title, part] of [...parts].sort(([a], [b]) => order(a, b))) {
  if (!part.licence || !part.text) throw new Error(`${title} states no licence`);
  byText.set(part.text, [...(byText.get(part.text) ?? []), `${title} (${part.licence})`]);
}
const sections = [...byText].map(([text, titles]) => `## ${titles.join(', ')}\n\n\`\`\`\n${text}\n\`\`\`\n`);
const intro = `# Third-party notices

What \`tidegate\` contains from others: the crates compiled into its Wasm files, the npm packages in \`dist/\`, and the
facts that its table of prices is made of.
The Wasm also contains parts of Rust's standard library (MIT OR Apache-2.0, the Rust Project Developers).
`;
// Not code, but facts that were gathered by others, and are compiled in.
sections.push(readFileSync(join(ROOT, 'tools', 'prices', 'NOTICES.md'), 'utf8'));
writeFileSync(join(PKG, 'THIRD-PARTY-NOTICES.md'), [intro, ...sections].join('\n'));
// Their links lead to files of the repository, most of which are not in the package.
const base = repositoryOf(JSON.parse(readFileSync(join(PKG, 'package.json'), 'utf8')));
for (const file of COPIED) {
  const text = readFileSync(join(ROOT, file), 'utf8');
  writeFileSync(join(PKG, file), base === undefined ? text : withAddresses(text, base));
}
