// Findings that a team has looked at, by fingerprint, each until a day. Nothing of a secret is in the file.

import type { Located, Pardon } from './located.js';

export interface BaselineEntry {
  readonly fingerprint: string;
  readonly rule: string;
  /** Where it was seen, for the reader; it is not compared. */
  readonly path: string;
  readonly reason: string;
  /** `YYYY-MM-DD`, the last day on which it holds. */
  readonly until: string;
}

export interface Baseline {
  /** Key of the fingerprints, in base64; absent if the environment has it. */
  readonly key?: string;
  readonly entries: readonly BaselineEntry[];
}

const DAY = /^\d{4}-\d{2}-\d{2}$/u;
const FIELDS = ['fingerprint', 'rule', 'path', 'reason', 'until'] as const;

/** Reads a baseline; throws an `Error` that names the field. */
export function parseBaseline(text: string): Baseline {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw new Error('is not JSON');
  }
  const { version, key, entries } = (raw ?? {}) as Record<string, unknown>;
  if (version !== 1) throw new Error('version: only 1 is known');
  if (key !== undefined && (typeof key !== 'string' || !/^[A-Za-z0-9+/]{43}=$/u.test(key))) {
    throw new Error('key: must be 32 bytes in base64');
  }
  if (!Array.isArray(entries)) throw new Error('entries: must be a list');
  const read = entries.map((entry: Record<string, unknown> | null, index) => {
    for (const field of FIELDS) {
      if (typeof entry?.[field] !== 'string') throw new Error(`entries[${index}].${field}: must be a text`);
    }
    const known = entry as unknown as BaselineEntry;
    if (!DAY.test(known.until) || Number.isNaN(Date.parse(known.until))) {
      throw new Error(`entries[${index}].until: must be a day, YYYY-MM-DD`);
    }
    return known;
  });
  return { ...(key === undefined ? {} : { key }), entries: read };
}

export function writeBaseline({ key, entries }: Baseline): string {
  const note = 'Findings that were looked at and accepted until a day. Made by: tidegate scan --update-baseline';
  return `${JSON.stringify({ version: 1, note, ...(key === undefined ? {} : { key }), entries }, null, 2)}\n`;
}

/** What the baseline says of a finding on `today`. */
export function pardonOf(baseline: Baseline, { fingerprint }: Located, today: string): Pardon | string | undefined {
  const entry = baseline.entries.find((one) => one.fingerprint === fingerprint);
  if (!entry) return undefined;
  if (entry.until < today) return `accepted until ${entry.until}; that time is over`;
  return { by: 'baseline', reason: entry.reason, until: entry.until };
}

/** The entries for these findings: what was there keeps its reason and its day unless that is past. */
export function renewed(baseline: Baseline, findings: readonly Located[], today: string, until: string): Baseline {
  const known = new Map(baseline.entries.map((entry) => [entry.fingerprint, entry]));
  const entries = new Map<string, BaselineEntry>();
  for (const { fingerprint, rule, path } of findings) {
    const old = known.get(fingerprint);
    const entry = old && old.until >= today ? old : { fingerprint, rule, path, reason: 'not yet looked at', until };
    if (!entries.has(fingerprint)) entries.set(fingerprint, entry);
  }
  return { ...baseline, entries: [...entries.values()] };
}

/** `YYYY-MM-DD` in UTC. */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
