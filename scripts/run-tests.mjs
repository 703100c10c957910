// node scripts/run-tests.mjs FOLDER [node --test options]: runs every *.test.* file under FOLDER with the
// Node that runs this. Node 20 takes folders and no globs, Node 22 and later globs and no folders: so names.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
// Tests remove what they made, but one that is killed, and what browsers and workerd leave, removes nothing: all of it
// lies in one folder, which goes with the run.
const temporary = mkdtempSync(join(tmpdir(), 'tidegate-tests-'));
const child = spawn(process.execPath, ['--test', `--test-reporter=${reporter}`, ...options, ...files], {
  stdio: 'inherit',
  env: { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (status) => {
  // What was stopped with them may still be writing.
  rmSync(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  process.exit(status ?? 1);
});
