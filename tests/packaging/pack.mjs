// Packs the package once for all tests of this folder (npm runs this before `test:packaging`).

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { FILES, PACKED, ROOT, TARBALL } from './support.mjs';

rmSync(PACKED, { recursive: true, force: true });
mkdirSync(PACKED, { recursive: true });
const told = execFileSync('npm', ['pack', '--json', '--pack-destination', PACKED], {
  cwd: join(ROOT, 'pkg'),
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
});
// The prepack script may print before the JSON, and npm 11 and 12 nest it differently.
const parsed = JSON.parse(told.slice(told.search(/^[[{]/mu)));
const [packed] = Object.values(parsed);
if (join(PACKED, packed.filename) !== TARBALL) throw new Error(`packed as ${packed.filename}`);
writeFileSync(FILES, JSON.stringify(packed.files.map(({ path }) => path)));
