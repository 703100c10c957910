// A finding with the place where a person can put it right.

import { relative, sep } from 'node:path';

import type { Finding } from '../node.js';

/** A place in a source, as its source map tells it; line and column count from 1. */
export interface Origin {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** Why a finding does not count: an allow comment, or the baseline until a day. */
export interface Pardon {
  readonly by: 'comment' | 'baseline';
  readonly reason: string;
  /** `YYYY-MM-DD`, the last day on which it holds. */
  readonly until?: string;
}

export interface Located extends Finding {
  /** Relative to the working directory, with `/`. */
  readonly path: string;
  /** Where it comes from, if a source map says so. */
  readonly source?: Origin;
  /** The commit that added it, if it was looked for in commits. */
  readonly commit?: string;
  readonly pardon?: Pardon;
  /** What a person should know about this place, such as a baseline entry that has run out. */
  readonly note?: string;
}

/** `path:line:column`. */
export const placeOf = ({ path, line, column }: Origin): string => `${path}:${line}:${column}`;

/** A path as it is told: relative to `cwd`, with `/`. Addresses, such as the `webpack://` of a map, stay as they are. */
export const shownFrom = (cwd: string, path: string): string =>
  /^[a-z][\w+.-]+:\/\//iu.test(path) ? path : relative(cwd, path).split(sep).join('/') || path;

/** Which classes make a run fail. */
export type FailOn = 'secret' | 'ambiguous';

export const failing = ({ class: kind, pardon }: Located, failOn: FailOn): boolean =>
  !pardon && (kind === 'secret' || (failOn === 'ambiguous' && kind === 'ambiguous'));

/** Secrets first, then by place. */
export function inOrder(findings: readonly Located[]): Located[] {
  const rank = { secret: 0, ambiguous: 1, publishable: 2 };
  const severity = { critical: 0, high: 1, medium: 2, low: 3, info: 4 };
  return [...findings].sort(
    (a, b) =>
      rank[a.class] - rank[b.class] ||
      severity[a.severity] - severity[b.severity] ||
      (a.path < b.path ? -1 : a.path > b.path ? 1 : a.start - b.start),
  );
}
