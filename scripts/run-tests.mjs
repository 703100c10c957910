// node scripts/run-tests.mjs FOLDER [node --test options]: runs every *.test.* file under FOLDER with the
// Node that runs this. Node 20 takes folders and no globs, Node 22 and later globs and no folders: so names.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const [folder, ...options] = process.argv.slice(2);
const files = readdirSync(folder, { recursive: true })
  .filter((file) => /\.test\.(js|mjs)$/.test(file) && !/(^|[\\/])node_modules[\\/]/.test(file))
  .map((file) => join(folder, file))
  .sort();
if (files.length === 0) {
  console.error(`no *.test.js or *.test.mjs under ${folder}`);
  process.exit(1);
}
const reporter = process.stdout.isTTY ? 'spec' : 'tap';
const { status } = spawnSync(process.execPath, ['--test', `--test-reporter=${reporter}`, ...options, ...files], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
