// What the packaging tests share: projects outside the repository with the packed package installed.

import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const PACKED = join(ROOT, 'target', 'packaging');
export const TARBALL = join(PACKED, 'tidegate-0.1.0.tgz');
export const FILES = join(PACKED, 'files.json');
export const PASSPHRASE = 'correct horse battery staple';
export const BIN = join(ROOT, 'node_modules', '.bin');

/** The machine's own Node beside the one that runs this. */
export const NODES = [...new Set([process.execPath, process.env.SYSTEM_NODE || '/usr/bin/node'])].filter(existsSync);

const run = promisify(execFile);

/**
 * A fresh project: the files of apps/APP, and the tarball installed by npm, which may not reach a registry for it: the
 * package has no dependencies. Removed after the test.
 */
export async function project(t, app) {
  if (!existsSync(TARBALL)) throw new Error('nothing is packed: npm run test:packaging');
  const folder = mkdtempSync(join(tmpdir(), `tidegate-${app}-`));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(new URL(`apps/${app}`, import.meta.url), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: app, private: true, type: 'module' }));
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--no-save', TARBALL], { cwd: folder });
  return folder;
}

/** Runs a program to its end; what it printed, or an error with all of it. */
export async function output(program, args, options = {}) {
  try {
    return (await run(program, args, { encoding: 'utf8', timeout: 60_000, ...options })).stdout;
  } catch (error) {
    throw new Error(`${program} ${args.join(' ')}: ${error.message}\n${error.stdout}\n${error.stderr}`, {
      cause: error,
    });
  }
}

/** Starts a program that is stopped after the test. */
export function start(t, program, args) {
  const child = spawn(program, args, { stdio: 'ignore' });
  t.after(() => child.kill());
  return child;
}
