// What a scan has to tell, whatever the format.

import type { FailOn, Located } from '../audit/located.js';
import { ruleName } from '../ruleName.js';

export interface Summary {
  readonly files: number;
  readonly bytes: number;
  /** Files that are no text. */
  readonly binary: number;
  readonly elapsedMs: number;
}

export interface Report {
  /** In order, pardoned ones included. */
  readonly findings: readonly Located[];
  readonly summary: Summary;
  /** What else a person should know, such as a file that could not be read. */
  readonly notes: readonly string[];
  readonly failOn: FailOn;
  readonly version: string;
}

/** A finding's name: the rule, in words. */
export const titleOf = ({ rule }: { readonly rule: string }): string => ruleName(rule);
