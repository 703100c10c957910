// What the build made: a key in it is published as soon as it is deployed.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { detector } from '../../audit/detector.js';
import type { EnvVariable } from '../../audit/env.js';
import { inOrder, placeOf, shownFrom, type Located } from '../../audit/located.js';
import { reasonOf } from '../../audit/settings.js';
import { files } from '../files.js';
import { mapBeside, readAndScan } from '../read.js';
import { titleOf } from '../report.js';
import { revoke, type Check, type Project } from './check.js';

/** Where frameworks put what browsers load. */
const FOLDERS = ['dist', 'build', 'out', '.next/static', '.output/public', '.svelte-kit/output/client', 'public'];

/** `values` are the variables that must not be published. */
export async function outputChecks(
  { folder }: Project,
  outDir: string | undefined,
  values: readonly EnvVariable[],
): Promise<Check[]> {
  const wanted = outDir === undefined ? FOLDERS : [outDir, 'public'];
  const folders = wanted.filter((name) => existsSync(join(folder, name)));
  const built = folders.filter((name) => name !== 'public');
  const checks: Check[] = [];
  if (built.length === 0) {
    const title = `nothing is built (${outDir ?? FOLDERS.slice(0, -1).join(', ')})`;
    checks.push({ area: 'output', id: 'output', level: 'skip', title, next: 'Build, then validate again.' });
  }
  if (folders.length === 0) return checks;
  const found = detector({ values });
  const findings: Located[] = [];
  let [count, maps] = [0, 0];
  const show = (path: string) => shownFrom(folder, path);
  for await (const path of files(folders, { cwd: folder, ignored: true })) {
    count += 1;
    if (path.endsWith('.map')) maps += 1;
    try {
      const file = { path: show(path), from: path, show, map: (url?: string) => mapBeside(path, url) };
      findings.push(...(await readAndScan(found, path, file, { binary: false })).findings);
    } catch (error) {
      checks.push({ area: 'output', id: 'output-unreadable', level: 'skip', title: reasonOf(error, show(path)) });
    }
  }
  const secrets = inOrder(findings.filter((finding) => finding.class === 'secret'));
  checks.push(...grouped(secrets).map(failed));
  if (maps > 0) {
    checks.push({
      area: 'output',
      id: 'output-maps',
      level: 'warn',
      title: `${maps} source ${maps === 1 ? 'map lies' : 'maps lie'} in the output: the sources are published with it`,
      where: built.join(', '),
      next: 'Delete *.map before you deploy, or build without them.',
    });
  }
  if (secrets.length === 0) {
    checks.push({
      area: 'output',
      id: 'output',
      level: 'pass',
      title: `${folders.join(', ')}: ${count} files, no secret`,
    });
  }
  return checks;
}

/** One check for each key, with the places where it stands. */
function grouped(findings: readonly Located[]): [Located, ...Located[]][] {
  const keys = new Map<string, [Located, ...Located[]]>();
  for (const one of findings) {
    const own = keys.get(one.fingerprint);
    if (own) own.push(one);
    else keys.set(one.fingerprint, [one]);
  }
  return [...keys.values()];
}

/** Places that are told one by one. */
const PLACES = 3;

const where = (one: Located): string => (one.source ? `${placeOf(one)}, from ${placeOf(one.source)}` : placeOf(one));

const failed = ([finding, ...more]: [Located, ...Located[]]): Check => ({
  area: 'output',
  id: 'output-secret',
  level: 'fail',
  title: `the output holds a secret: ${titleOf(finding)}, ${finding.preview}`,
  where: [
    ...[finding, ...more].slice(0, PLACES).map(where),
    ...(more.length >= PLACES ? [`and ${more.length + 1 - PLACES} more`] : []),
  ].join('; '),
  next: `Take it out of what the browser gets, and build anew. ${revoke(finding)}`,
});
