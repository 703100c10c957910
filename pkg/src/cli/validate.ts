// `tidegate validate`.

import { statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';

import { isPublic } from '../audit/env.js';
import { UsageError, type ValidateArgs } from './args.js';
import { defineChecks, readBuild } from './checks/build.js';
import type { Area, Check } from './checks/check.js';
import { dependencyChecks } from './checks/dependencies.js';
import { envChecks } from './checks/env.js';
import { outputChecks } from './checks/output.js';
import { wranglerChecks } from './checks/wrangler.js';
import { wrapped } from './columns.js';
import { paint, painted, plural, printable, width, type Paint } from './text.js';

/** Checks a project, reports, and says with what code the process ends. */
export async function validateCommand(args: ValidateArgs, version: string): Promise<number> {
  const folder = resolve(args.folder);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`${args.folder}: no such folder`);
  }
  const checks = await validate(folder, args.mode);
  const toTerminal = args.output === undefined && painted(process.stdout);
  const text = args.format === 'json' ? asJson(checks, version) : asText(checks, paint(toTerminal));
  if (args.output === undefined) process.stdout.write(text);
  else writeFileSync(args.output, text);
  return checks.some(({ level }) => level === 'fail') ? 1 : 0;
}

async function validate(folder: string, mode: string): Promise<Check[]> {
  const project = { folder, mode };
  const build = await readBuild(project);
  const env = await envChecks(project, build.prefixes);
  const values = env.variables.filter(({ name }) => !isPublic(name, build.prefixes));
  const checks = [
    ...env.checks,
    ...build.checks,
    ...(await defineChecks(build.vite, values)),
    ...(await outputChecks(project, build.outDir, values)),
    ...(await dependencyChecks(project)),
    ...(await wranglerChecks(project)),
  ];
  if (build.vite && !checks.some(({ area, level }) => area === 'build' && level !== 'pass')) {
    checks.push({ area: 'build', id: 'build', level: 'pass', title: 'no sources published, no secret in define' });
  }
  return checks;
}

const counts = (checks: readonly Check[]) => ({
  fail: checks.filter(({ level }) => level === 'fail').length,
  warn: checks.filter(({ level }) => level === 'warn').length,
  skip: checks.filter(({ level }) => level === 'skip').length,
});

const asJson = (checks: readonly Check[], version: string): string =>
  `${JSON.stringify({ version: 1, tool: `tidegate ${version}`, summary: counts(checks), checks }, null, 2)}\n`;

const AREAS: Record<Area, string> = {
  env: 'Env files',
  build: 'Build configuration',
  output: 'Built output',
  dependencies: 'Dependencies',
  wrangler: 'wrangler',
};

function asText(checks: readonly Check[], { bold, dim, red, yellow, green }: Paint): string {
  const marks = { fail: red('FAIL'), warn: yellow('WARN'), pass: green(' ok '), skip: dim('  – ') };
  const out: string[] = [];
  for (const [area, title] of Object.entries(AREAS)) {
    const own = checks.filter((check) => check.area === area);
    if (own.length === 0) continue;
    out.push(bold(title));
    for (const check of own) {
      const [first = '', ...more] = wrapped(printable(check.title), width() - 4);
      out.push(`  ${marks[check.level]}  ${first}`, ...more.map((line) => `        ${line}`));
      if (check.where !== undefined) out.push(dim(`        ${printable(check.where)}`));
      for (const line of check.next === undefined ? [] : wrapped(printable(check.next), width() - 4))
        out.push(`        ${line}`);
    }
    out.push('');
  }
  const { fail, warn, skip } = counts(checks);
  const rest = [warn > 0 ? `${warn} to look at` : '', skip > 0 ? `${plural(skip, 'thing')} not checked` : ''];
  const verdict = fail > 0 ? red(bold(`${plural(fail, 'thing')} to put right`)) : green(bold('Nothing to put right'));
  out.push(`${[verdict, ...rest.filter((part) => part !== '')].join(', ')}.`);
  return `${out.join('\n')}\n`;
}
