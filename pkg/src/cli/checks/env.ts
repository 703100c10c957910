// Env files: who can read them, and whether a name publishes what it holds.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { detector, VALUE_RULE } from '../../audit/detector.js';
import { envFiles, isExample, isPublic, readEnvFile, type EnvVariable } from '../../audit/env.js';
import { reasonOf } from '../../audit/settings.js';
import { checkVariable } from '../../audit/variable.js';
import { git } from '../git.js';
import { evidence, revoke, secretIn, type Check, type Project } from './check.js';

/** Files that hold credentials beside the env files. */
const CREDENTIALS = ['.npmrc', '.yarnrc.yml', '.pypirc', '.netrc'];

export interface EnvState {
  readonly variables: readonly EnvVariable[];
  readonly checks: readonly Check[];
}

/** `prefixes` are those by which the build publishes a variable. */
export async function envChecks({ folder }: Project, prefixes: readonly string[]): Promise<EnvState> {
  const names = envFiles(folder);
  const checks: Check[] = [];
  const variables: EnvVariable[] = [];
  for (const file of names) {
    let own: EnvVariable[];
    try {
      own = readEnvFile(join(folder, file), file);
    } catch (error) {
      checks.push({ area: 'env', id: 'env-unreadable', level: 'skip', title: `not read: ${reasonOf(error, file)}` });
      continue;
    }
    const secrets = await secretsOf(own);
    if (isExample(file)) checks.push(...examples(secrets.filter(({ finding }) => finding.rule !== VALUE_RULE)));
    else {
      variables.push(...own);
      checks.push(...(await tracking(folder, file, secrets.length)), ...published(secrets, prefixes));
      checks.push(...(await formats(own)));
    }
  }
  for (const file of CREDENTIALS) checks.push(...(await credentials(folder, file)));
  const said = checks.some(({ level }) => level === 'fail' || level === 'warn');
  if (!said) {
    const title =
      names.length === 0 ? 'no env files' : `${names.join(', ')}: not in git, and no public name holds a secret`;
    checks.unshift({ area: 'env', id: 'env-files', level: 'pass', title });
  }
  return { variables, checks };
}

interface Secret {
  readonly variable: EnvVariable;
  readonly finding: NonNullable<Awaited<ReturnType<typeof secretIn>>>;
}

async function secretsOf(variables: readonly EnvVariable[]): Promise<Secret[]> {
  const secrets: Secret[] = [];
  for (const variable of variables) {
    const finding = await secretIn(variable);
    if (finding) secrets.push({ variable, finding });
  }
  return secrets;
}

const at = ({ file, line }: EnvVariable): string => (line > 0 ? `${file}:${line}` : file);

const published = (secrets: readonly Secret[], prefixes: readonly string[]): Check[] =>
  secrets
    .filter(({ variable }) => isPublic(variable.name, prefixes))
    .map(({ variable, finding }) => ({
      area: 'env',
      id: 'env-public-name',
      // A key or a token without a known form may have been made to be seen.
      level: finding.rule === VALUE_RULE && finding.severity === 'medium' ? 'warn' : 'fail',
      title: `${variable.name} is published by its name, and holds a secret (${evidence(finding)})`,
      where: at(variable),
      next:
        `Give it a name without ${prefixes.find((prefix) => isPublic(variable.name, [prefix])) ?? 'the prefix'} and ` +
        `use it on a server, or let each user bring a key of their own. ${revoke(finding)}`,
    }));

/** Whether what a variable holds can be the key that its name speaks of. What is decided is decided in the Wasm. */
async function formats(variables: readonly EnvVariable[]): Promise<Check[]> {
  const checks: Check[] = [];
  for (const variable of variables) {
    const told = await checkVariable(variable.name, variable.value);
    // Behind an address of one's own may be whoever takes any key.
    if (!told || variables.some(({ name }) => isAddressFor(variable.name, name))) continue;
    const where = at(variable);
    if (told.refused !== undefined) {
      checks.push({
        area: 'env',
        id: 'env-key-format',
        level: told.refused.includes('placeholder') ? 'warn' : 'fail',
        title: `${variable.name} holds no key of ${told.provider}: it ${told.refused}`,
        where,
        next: `Copy the key anew from where ${told.provider} shows it. If that one is of another service, put it under its own name.`,
      });
    }
    for (const warning of told.warnings) {
      checks.push({
        area: 'env',
        id: 'env-key-format',
        level: 'warn',
        title: `${variable.name}: ${warning}`,
        where,
        next: `If ${told.provider} takes it, nothing needs to be done: providers change the form of their keys.`,
      });
    }
  }
  return checks;
}

/** `OPENAI_BASE_URL` beside `OPENAI_API_KEY`. */
function isAddressFor(key: string, name: string): boolean {
  const owner = key.replace(/_(?:API_)?(?:KEY|TOKEN)$/u, '');
  return ['_BASE_URL', '_API_BASE', '_API_BASE_URL', '_URL', '_HOST', '_ENDPOINT'].some((end) => name === owner + end);
}

const examples = (secrets: readonly Secret[]): Check[] =>
  secrets.map(({ variable, finding }) => ({
    area: 'env',
    id: 'env-example',
    level: 'fail',
    title: `${variable.name} in an example is a real key by its form (${finding.rule}, ${finding.preview})`,
    where: at(variable),
    next: `Put a placeholder there. ${revoke(finding)}`,
  }));

async function tracking(folder: string, file: string, secrets: number): Promise<Check[]> {
  if (secrets === 0 || !(await inRepository(folder))) return [];
  if (await isTracked(folder, file)) {
    return [
      {
        area: 'env',
        id: 'env-tracked',
        level: 'fail',
        title: `${file} is in git, with ${secrets} ${secrets === 1 ? 'secret' : 'secrets'}`,
        where: file,
        next: `git rm --cached ${file}, add it to .gitignore, and replace its keys: the history keeps them.`,
      },
    ];
  }
  const ignored = await git(folder, ['check-ignore', '-q', '--', file]).then(
    () => true,
    () => false,
  );
  if (ignored) return [];
  return [
    {
      area: 'env',
      id: 'env-not-ignored',
      level: 'warn',
      title: `${file} holds secrets, and git would add it`,
      where: file,
      next: `Add ${file} to .gitignore.`,
    },
  ];
}

async function credentials(folder: string, file: string): Promise<Check[]> {
  const path = join(folder, file);
  if (!existsSync(path) || !(await isTracked(folder, file))) return [];
  const findings = await detector({}).scan(await readFile(path));
  return findings
    .filter((finding) => finding.class === 'secret')
    .map((finding) => ({
      area: 'env',
      id: 'credentials-tracked',
      level: 'fail',
      title: `${file} is in git, and holds a secret (${finding.rule}, ${finding.preview})`,
      where: `${file}:${finding.line}`,
      next: `Take it from the environment instead. ${revoke(finding)}`,
    }));
}

const inRepository = (folder: string): Promise<boolean> =>
  git(folder, ['rev-parse', '--is-inside-work-tree']).then(
    () => true,
    () => false,
  );

const isTracked = (folder: string, file: string): Promise<boolean> =>
  git(folder, ['ls-files', '--error-unmatch', '--', file]).then(
    () => true,
    () => false,
  );
