// What the tests of the command line and the plugin share: projects in folders of their own, keys made for the occasion.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** Letters and digits at random: what is typed by hand is taken for a placeholder. */
export const random = (length) => [...randomBytes(length)].map((byte) => LETTERS[byte % LETTERS.length]).join('');
export const groqKey = () => `gsk_${random(52)}`;
export const googleKey = () => `AIza${random(35)}`;

/** A folder with these files, removed after the test. */
export function folder(t, files = {}, parent = tmpdir()) {
  mkdirSync(parent, { recursive: true });
  const path = mkdtempSync(join(parent, 'tidegate-audit-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  put(path, files);
  return path;
}

export function put(path, files) {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
}

/** Runs a program; its exit code and what it printed. */
export function run(program, args, cwd, env = {}) {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 1 << 28, timeout: 60_000 };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: error?.code ?? 0, stdout, stderr });
    });
    child.stdin.end();
  });
}

export const tidegate = (cwd, args, env) => run(process.execPath, [CLI, ...args], cwd, env);

/** A scan's JSON with its exit code. */
export async function scanned(cwd, args = [], env = {}) {
  const { code, stdout, stderr } = await tidegate(cwd, ['scan', ...args, '--format', 'json'], env);
  if (code === 2) throw new Error(stderr);
  return { code, ...JSON.parse(stdout) };
}

const AUTHOR = ['-c', 'user.name=Tide', '-c', 'user.email=tide@example.org', '-c', 'commit.gpgsign=false'];
export async function git(cwd, ...args) {
  const { code, stdout, stderr } = await run('git', [...AUTHOR, ...args], cwd);
  if (code !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

/** A repository with these files committed. */
export async function repository(t, files) {
  const path = folder(t, files);
  await git(path, 'init', '-q', '-b', 'main');
  await commit(path, 'Begin');
  return path;
}

export async function commit(path, subject) {
  await git(path, 'add', '-A');
  await git(path, 'commit', '-q', '--allow-empty', '-m', subject);
  return git(path, 'rev-parse', 'HEAD');
}
