// What one check of `tidegate validate` says, and what it works with.

import type { Finding } from '../../node.js';
import { detector, VALUE_RULE } from '../../audit/detector.js';

export type Area = 'env' | 'output' | 'dependencies' | 'build' | 'wrangler';

export interface Check {
  readonly area: Area;
  /** A stable name of what was checked. */
  readonly id: string;
  /** `fail` must be put right, `warn` should be looked at, `skip` could not be checked. */
  readonly level: 'fail' | 'warn' | 'pass' | 'skip';
  /** One sentence. */
  readonly title: string;
  /** File, or file and line. */
  readonly where?: string;
  /** What to do next; always there for `fail` and `warn`. */
  readonly next?: string;
}

export interface Project {
  /** Absolute. */
  readonly folder: string;
  /** Whose env files count. */
  readonly mode: string;
}

/**
 * What the detector says of a variable: by the form of its value, or by its name. Nothing for one that may be public.
 */
export async function secretIn({ name, value }: { name: string; value: string }): Promise<Finding | undefined> {
  if (value === '') return undefined;
  const findings = await detector({ values: [{ name, value }] }).scan(`${name}=${value}\n`);
  return findings.find((finding) => finding.class === 'secret');
}

/** How a secret was told. */
export const evidence = ({ rule, preview }: Finding): string =>
  rule === VALUE_RULE ? 'by its name' : `${rule}, ${preview}`;

/** Where a variable's value belongs instead, and that it has to be replaced if it was ever published. */
export const revoke = ({ advice, docs }: Finding): string => [advice, docs].filter((part) => part !== '').join(' ');
