// The report for a person: one block for each key, with every place where it stands.

import process from 'node:process';

import { failing, placeOf, type Located } from '../audit/located.js';
import { wrapped } from './columns.js';
import { titleOf, type Report } from './report.js';

/** Wraps a text in the escapes of a terminal. */
export type Paint = Record<'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan', (text: string) => string>;

const CODES = { bold: 1, dim: 2, red: 31, yellow: 33, green: 32, cyan: 36 } as const;

export const paint = (on: boolean): Paint =>
  Object.fromEntries(
    Object.entries(CODES).map(([name, code]) => [
      name,
      (text: string) => (on ? `\u001b[${code}m${text}\u001b[0m` : text),
    ]),
  ) as Paint;

/** Whether to paint: on a terminal, unless `NO_COLOR` says no; elsewhere, if `FORCE_COLOR` says yes. */
export function painted({ isTTY }: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = env;
  if (NO_COLOR) return false;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return isTTY === true && TERM !== 'dumb';
}

/** Columns of a text: of the terminal, but no more than are read with ease. */
export const width = (columns = process.stdout.columns): number => Math.min(92, Math.max(20, (columns || 100) - 4));

/** Places of one key that are told one by one. */
const PLACES = 8;

export function textReport(report: Report, { bold, dim, red, yellow, green, cyan }: Paint): string {
  const { findings, summary, notes, failOn } = report;
  const open = findings.filter(({ pardon }) => !pardon);
  const colour = { secret: red, ambiguous: yellow, publishable: cyan };
  const out: string[] = [];
  for (const group of byKey(open)) {
    const [first] = group;
    if (!first) continue;
    const encoding = first.encoding === 'plain' ? '' : `, ${first.encoding}`;
    out.push(
      `${colour[first.class](bold(printable(titleOf(first))))}  ${dim(`${first.class}, ${first.severity}${encoding}`)}`,
      `  ${printable(first.preview)}`,
    );
    for (const finding of group.slice(0, PLACES)) out.push(`  ${bold('at')} ${printable(where(finding))}`);
    if (group.length > PLACES) out.push(dim(`  and at ${group.length - PLACES} more places`));
    for (const note of new Set(group.flatMap(({ note }) => note ?? []))) out.push(yellow(`  note: ${printable(note)}`));
    out.push(...wrapped(first.advice, width()).map((line) => `  ${line}`));
    if (first.docs) out.push(`  ${dim(first.docs)}`);
    out.push(dim(`  rule ${first.rule}, fingerprint ${first.fingerprint}`), '');
  }
  for (const note of notes) out.push(yellow(`note: ${printable(note)}`));
  if (notes.length > 0) out.push('');
  const fails = findings.some((finding) => failing(finding, failOn));
  out.push((fails ? red : green)(bold(verdict(open))));
  const pardoned = findings.length - open.length;
  if (pardoned > 0) out.push(dim(`${plural(pardoned, 'finding')} allowed by comment or baseline.`));
  const binary = summary.binary > 0 ? `, ${plural(summary.binary, 'file')} without text passed over` : '';
  out.push(dim(`${plural(summary.files, 'file')}, ${size(summary.bytes)} in ${seconds(summary.elapsedMs)}${binary}.`));
  return `${out.join('\n')}\n`;
}

function verdict(open: readonly Located[]): string {
  if (open.length === 0) return 'No keys found.';
  const parts = (['secret', 'ambiguous', 'publishable'] as const).flatMap((kind) => {
    const keys = byKey(open.filter((finding) => finding.class === kind)).length;
    if (keys === 0) return [];
    return kind === 'secret' ? plural(keys, 'secret') : `${plural(keys, `${kind} key`)}`;
  });
  return `${parts.join(', ')} in ${plural(open.length, 'place')}.`;
}

/** One group for each key and rule, in the order of their first places. */
function byKey(findings: readonly Located[]): Located[][] {
  const groups = new Map<string, Located[]>();
  for (const finding of findings) {
    const key = `${finding.rule} ${finding.fingerprint}`;
    const group = groups.get(key);
    if (group) group.push(finding);
    else groups.set(key, [finding]);
  }
  return [...groups.values()];
}

function where(finding: Located): string {
  const { source, commit } = finding;
  const from = source ? ` (from ${placeOf(source)})` : '';
  return `${placeOf(finding)}${from}${commit === undefined ? '' : ` in commit ${commit.slice(0, 10)}`}`;
}

/** A path may hold anything, and so may a preview: no escape of theirs reaches the terminal. */
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/gu;
export const printable = (text: string): string => text.replace(CONTROLS, '\ufffd');

export const plural = (count: number, one: string): string =>
  `${count.toLocaleString('en-US')} ${one}${count === 1 ? '' : 's'}`;

export const size = (bytes: number): string =>
  bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;

const seconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
