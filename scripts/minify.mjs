// Minifies finished modules where they lie, once more: what esbuild leaves of a bundle, oxc's minifier makes 3 % smaller.
//
//   node scripts/minify.mjs FILE.js…

import { readFileSync, writeFileSync } from 'node:fs';
import { minifySync } from 'vite';

for (const path of process.argv.slice(2)) {
  const { code, errors } = minifySync(path, readFileSync(path, 'utf8'), {
    module: true,
    compress: { target: 'es2022' },
    mangle: { toplevel: true },
    codegen: { legalComments: 'none' },
  });
  if (errors.length > 0) throw new Error(`${path}: ${errors[0].message}`);
  writeFileSync(path, code);
}
