// Makes one file, dist/first.js, of the modules that a page loads before its first answer. Each module is left where tsc has
// put it, for whoever imports it, but only passes on what is in that file. Bundlers put modules that something loaded later
// needs too into files of their own, one for each set of such: nine files, a fifth larger after compression than one.
//
//   node scripts/bundle-first.mjs DIST

import { writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build } from 'esbuild';

const dist = resolve(process.argv[2]);
const FIRST = 'first.js';
const from = (folder, path) => `./${relative(folder, path).replaceAll('\\', '/')}`.replace('./../', '../');

/** What is imported dynamically loads later: it stays a file of its own. */
const later = {
  name: 'later',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\./ }, ({ kind, resolveDir, path }) =>
      kind === 'dynamic-import' ? { path: from(dist, resolve(resolveDir, path)), external: true } : undefined,
    ),
};

/** The bundle of a module, the paths of what is in it, and the names that it exports. */
async function bundled(input) {
  const options = { bundle: true, format: 'esm', target: 'es2022', legalComments: 'none', plugins: [later] };
  const { outputFiles, metafile } = await build({ ...options, ...input, write: false, metafile: true });
  const [{ exports }] = Object.values(metafile.outputs);
  return { text: outputFiles[0].text, paths: Object.keys(metafile.inputs), names: exports };
}

const { paths } = await bundled({ entryPoints: [join(dist, 'web.js')] });
const taken = new Map();
/** A name of its own for what a module exports. */
const own = (name) => {
  const before = taken.get(name) ?? 0;
  taken.set(name, before + 1);
  return before > 0 ? `${name}$${before}` : name;
};
const modules = [];
for (const path of paths.map((path) => resolve(path))) {
  const { names } = await bundled({ entryPoints: [path] });
  modules.push({ path, names: names.map((name) => [name, own(name)]) });
}
const passing = ({ names }, pair, path) => `export { ${names.map(pair).join(', ')} } from '${path}';\n`;
const as = (from, to) => (from === to ? from : `${from} as ${to}`);
const all = modules.map((module) => passing(module, ([name, own]) => as(name, own), from(dist, module.path)));
const { text } = await bundled({ stdin: { contents: all.join(''), resolveDir: dist } });
writeFileSync(join(dist, FIRST), text);
for (const module of modules) {
  const first = from(resolve(module.path, '..'), join(dist, FIRST));
  writeFileSync(
    module.path,
    passing(module, ([name, own]) => as(own, name), first),
  );
}
