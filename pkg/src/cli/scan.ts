// `tidegate scan`.

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';

import { detector, VALUE_RULE, type Detector } from '../audit/detector.js';
import { allowance } from '../audit/allow.js';
import { dayOf, pardonOf, renewed, writeBaseline, type Baseline } from '../audit/baseline.js';
import { readEnvFile } from '../audit/env.js';
import { failing, inOrder, shownFrom, type Located } from '../audit/located.js';
import { keyOf, openBaseline, reasonOf } from '../audit/settings.js';
import { UsageError, type ScanArgs } from './args.js';
import { files, NoSuchPath } from './files.js';
import { addedSince, git } from './git.js';
import { githubReport, jsonReport, sarifReport } from './machine.js';
import { progress } from './progress.js';
import { mapBeside, readAndScan, streamed } from './read.js';
import type { Report } from './report.js';
import { paint, painted, textReport } from './text.js';

const DAY_MS = 86_400_000;

/** Scans, reports, and says with what code the process ends. */
export async function scanCommand(args: ScanArgs, version: string): Promise<number> {
  const began = performance.now();
  const cwd = process.cwd();
  const today = dayOf(Date.now());
  const baseline = args.baseline === undefined ? undefined : openBaseline(args.baseline, args.update);
  const key = keyOf(baseline);
  const values = args.values.flatMap((path) => {
    try {
      return readEnvFile(resolve(cwd, path), path);
    } catch (error) {
      throw new UsageError(`--values: ${reasonOf(error, path)}`, { cause: error });
    }
  });
  const looking = detector({ key, values, publishable: args.publishable });
  const found = await lookFor(looking, args, cwd);
  if (args.values.length > 0 && (await looking.stream()).searched === 0) {
    found.notes.push(`no value in ${args.values.join(', ')} is a secret by its name, and long enough to be looked for`);
  }
  const findings = inOrder(found.findings).map((finding): Located => {
    const said = finding.pardon || !baseline ? undefined : pardonOf(baseline, finding, today);
    return typeof said === 'string' ? { ...finding, note: said } : said ? { ...finding, pardon: said } : finding;
  });
  if (args.update && baseline && args.baseline !== undefined) {
    return update(args.baseline, baseline, findings, today, args.days);
  }
  const { counts, notes } = found;
  const summary = { ...counts, elapsedMs: performance.now() - began };
  const report: Report = { findings, summary, notes, failOn: args.failOn, version };
  write(args, report);
  return findings.some((finding) => failing(finding, args.failOn)) ? 1 : 0;
}

interface Found {
  readonly findings: Located[];
  readonly counts: { files: number; bytes: number; binary: number };
  readonly notes: string[];
}

async function lookFor(found: Detector, args: ScanArgs, cwd: string): Promise<Found> {
  const findings: Located[] = [];
  const notes: string[] = [];
  const counts = { files: 0, bytes: 0, binary: 0 };
  const shown = (path: string) => shownFrom(cwd, path);
  const bar = progress(process.stderr);
  // In the file that sets a value it is where it belongs; keys are told there all the same.
  const home = new Set(args.values.map((path) => shown(resolve(cwd, path))));
  const take = (result: Awaited<ReturnType<typeof streamed>>) => {
    findings.push(...result.findings.filter(({ rule, path }) => rule !== VALUE_RULE || !home.has(path)));
    counts.files += result.binary === true ? 0 : 1;
    counts.binary += result.binary === true ? 1 : 0;
    counts.bytes += result.bytes;
  };
  const one = async (path: string) => {
    bar.file(shown(path));
    try {
      const file = {
        path: shown(path),
        from: path,
        comments: true,
        show: shown,
        map: (url?: string) => mapBeside(path, url),
      };
      take(await readAndScan(found, path, file, { binary: args.binary, progress: bar.bytes }));
    } catch (error) {
      notes.push(`not scanned: ${reasonOf(error, shown(path))}`);
    }
  };
  try {
    if (args.since !== undefined) {
      for await (const added of sinceRevision(found, args.since, args.paths, cwd)) {
        bar.file(added.path);
        take(added);
      }
      for (const path of await untracked(cwd, args.paths)) await one(path);
    } else {
      const named = args.paths.filter((path) => path !== '-');
      if (named.length < args.paths.length) take(await streamed(found, process.stdin, 'standard input', bar.bytes));
      for await (const path of files(named, { cwd, exclude: args.exclude })) await one(path);
    }
  } catch (error) {
    if (error instanceof NoSuchPath) throw new UsageError(`${error.message}: no such file or folder`, { cause: error });
    throw error;
  } finally {
    bar.clear();
  }
  return { findings, counts, notes };
}

async function* sinceRevision(found: Detector, revision: string, paths: readonly string[], cwd: string) {
  const top = await git(cwd, ['rev-parse', '--show-toplevel']).catch(() => {
    throw new UsageError('--since needs a git repository, and git');
  });
  try {
    for await (const { path: inRepository, commit, bytes, lines } of addedSince(cwd, revision, paths)) {
      const path = shownFrom(cwd, resolve(top.trim(), inRepository));
      const texts = new TextDecoder().decode(bytes).split('\n');
      const findings = (await found.scan(bytes)).map((finding): Located => {
        const said = allowance(texts, finding.line, finding.rule);
        return {
          ...finding,
          path,
          line: lines[finding.line - 1] ?? finding.line,
          ...(commit === undefined ? {} : { commit }),
          ...(typeof said === 'string' ? { note: said } : said ? { pardon: said } : {}),
        };
      });
      yield { path, findings, bytes: bytes.length };
    }
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('--since')) throw new UsageError(error.message);
    throw error;
  }
}

async function untracked(cwd: string, paths: readonly string[]): Promise<string[]> {
  const told = await git(cwd, ['ls-files', '-z', '--others', '--exclude-standard', '--', ...paths]);
  return told
    .split('\0')
    .filter((name) => name !== '')
    .map((name) => resolve(cwd, name));
}

function update(path: string, baseline: Baseline, findings: readonly Located[], today: string, days: number): number {
  const open = findings.filter(({ pardon, class: kind }) => pardon?.by !== 'comment' && kind !== 'publishable');
  const next = renewed(baseline, open, today, dayOf(Date.now() + days * DAY_MS));
  writeFileSync(path, writeBaseline(next));
  const fresh = next.entries.filter((entry) => !baseline.entries.includes(entry)).length;
  const gone = baseline.entries.length - (next.entries.length - fresh);
  process.stdout.write(
    `${path}: ${next.entries.length} accepted (${fresh} new, for ${days} days; ${gone} gone or renewed).\n` +
      `They are left out of a scan with --baseline ${path}\n` +
      (fresh > 0 ? 'Write a reason into each new entry, and revoke what was ever published.\n' : ''),
  );
  return 0;
}

function write({ format, output }: ScanArgs, report: Report): void {
  const toTerminal = output === undefined && painted(process.stdout);
  const text = {
    text: () => textReport(report, paint(toTerminal)),
    json: () => jsonReport(report),
    sarif: () => sarifReport(report),
    github: () => githubReport(report),
  }[format]();
  if (output === undefined) process.stdout.write(text);
  else writeFileSync(output, text);
}
