// Dependencies: what is installed tomorrow must be what was tested today.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { Check, Project } from './check.js';

const LOCKS = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb'];

export async function dependencyChecks({ folder }: Project): Promise<Check[]> {
  const where = 'package.json';
  const area = 'dependencies';
  const text = await readFile(join(folder, where), 'utf8').catch(() => undefined);
  if (text === undefined) return [{ area, id: 'package-json', level: 'skip', title: 'no package.json here' }];
  let manifest: Record<string, unknown>;
  try {
    manifest = JSON.parse(text) as Record<string, unknown>;
  } catch {
    const next = 'Put it right, then validate again.';
    return [{ area, id: 'package-json', level: 'fail', title: 'package.json is not JSON', where, next }];
  }
  const all = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((field) =>
    Object.entries((manifest[field] ?? {}) as Record<string, unknown>),
  );
  const checks: Check[] = all.flatMap(([name, wanted]) => loose(name, `${wanted as string}`, where));
  if (all.length > 0 && !lockAbove(folder)) {
    checks.push({
      area,
      id: 'lock-file',
      level: 'warn',
      title: 'no lock file: every install may bring other code',
      where,
      next: 'Commit the lock file of your package manager, and install with it (npm ci).',
    });
  }
  if (checks.length === 0)
    checks.push({ area, id: 'dependencies', level: 'pass', title: `${all.length} dependencies, locked` });
  return checks;
}

function loose(name: string, wanted: string, where: string): Check[] {
  const area = 'dependencies';
  if (/^http:|^git:|^git\+http:/u.test(wanted)) {
    const title = `${name} is fetched without encryption (${wanted.split('?')[0]})`;
    return [
      { area, id: 'dependency-plain', level: 'fail', title, where, next: 'Take it from the registry, or by https.' },
    ];
  }
  if (/\/\/[^/@\s]+:[^/@\s]+@/u.test(wanted)) {
    const title = `the address of ${name} holds a password`;
    const next = 'Take it out, revoke it, and let git or the registry ask for it.';
    return [{ area, id: 'dependency-password', level: 'fail', title, where, next }];
  }
  if (wanted === '' || wanted === '*' || wanted === 'latest' || wanted === 'x') {
    const title = `${name} may be any version (${wanted === '' ? 'no range' : wanted})`;
    return [{ area, id: 'dependency-range', level: 'warn', title, where, next: 'Name the version that you tested.' }];
  }
  return [];
}

function lockAbove(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (LOCKS.some((name) => existsSync(join(at, name)))) return true;
    if (dirname(at) === at || existsSync(join(at, '.git'))) return false;
  }
}
