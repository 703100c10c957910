// Which files a scan reads: what git would, and what was named.

import { readFile, readdir, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

import { ignore } from '../audit/vendor.js';
import { git } from './git.js';

/** Never of interest unless named themselves. */
const PASSED = new Set(['.git', '.hg', '.svn', 'node_modules']);

/** One set of ignore rules, for what lies below `base`. */
interface Rules {
  readonly base: string;
  readonly matcher: ReturnType<typeof ignore>;
}

export interface FileChoice {
  /** Further patterns to leave out, in the syntax of .gitignore, relative to `cwd`. */
  readonly exclude?: readonly string[];
  readonly cwd: string;
  /** Take also what git ignores. */
  readonly ignored?: boolean;
}

/** A path that was named and is not there. */
export class NoSuchPath extends Error {}

/** The files below the roots, each once, as absolute paths. */
export async function* files(
  roots: readonly string[],
  { exclude = [], cwd, ignored: all = false }: FileChoice,
): AsyncGenerator<string> {
  const given = exclude.length > 0 ? [{ base: cwd, matcher: ignore().add([...exclude]) }] : [];
  const seen = new Set<string>();
  for (const root of roots.map((path) => resolve(cwd, path))) {
    const found = await stat(root).catch(() => undefined);
    if (!found) throw new NoSuchPath(relative(cwd, root) || root);
    if (!found.isDirectory()) {
      if (!seen.has(root)) yield (seen.add(root), root);
      continue;
    }
    const above = all ? [] : await rulesAbove(root);
    // Who names an ignored folder wants it scanned, as a build's output is.
    const inherited = ignored(above, root, true) ? [] : above;
    for await (const file of below(root, [...inherited, ...given], all))
      if (!seen.has(file)) yield (seen.add(file), file);
    for (const file of await trackedThoughIgnored(root)) {
      if (!seen.has(file) && !ignored(given, file, false)) yield (seen.add(file), file);
    }
  }
}

async function* below(folder: string, inherited: readonly Rules[], all: boolean): AsyncGenerator<string> {
  const rules = all ? inherited : [...inherited, ...(await rulesIn(folder, '.gitignore'))];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    const isFolder = entry.isDirectory();
    if (ignored(rules, path, isFolder)) continue;
    if (isFolder && !PASSED.has(entry.name)) yield* below(path, rules, all);
    else if (entry.isFile()) yield path; // links are not followed: what they lead to has a place of its own
  }
}

/** The rules of the repository's root down to the folder above `root`, and those that only this clone has. */
async function rulesAbove(root: string): Promise<Rules[]> {
  const folders: string[] = [];
  for (let at = dirname(root), below = root; at !== below; below = at, at = dirname(at)) {
    if (existsSync(join(below, '.git'))) break;
    folders.unshift(at);
  }
  const top = folders[0] ?? root;
  if (!existsSync(join(top, '.git'))) return [];
  const rules = await rulesIn(top, '.git/info/exclude');
  for (const folder of folders) rules.push(...(await rulesIn(folder, '.gitignore')));
  return rules;
}

async function rulesIn(base: string, name: string): Promise<Rules[]> {
  const text = await readFile(join(base, name), 'utf8').catch(() => undefined);
  return text === undefined ? [] : [{ base, matcher: ignore().add(text) }];
}

/** The deepest rule that says something about the path decides. */
function ignored(rules: readonly Rules[], path: string, isFolder: boolean): boolean {
  for (const { base, matcher } of rules.toReversed()) {
    const name = relative(base, path).split(sep).join('/');
    if (name === '' || name.startsWith('..')) continue;
    const said = matcher.test(isFolder ? `${name}/` : name);
    if (said.ignored) return true;
    if (said.unignored) return false;
  }
  return false;
}

/** A file that git tracks is published, whatever .gitignore says of it. */
async function trackedThoughIgnored(root: string): Promise<string[]> {
  const told = await git(root, ['ls-files', '-z', '--cached', '--ignored', '--exclude-standard']).catch(() => '');
  const paths = told.split('\0').filter((name) => name !== '');
  return paths.map((name) => join(root, name)).filter((path) => existsSync(path));
}
