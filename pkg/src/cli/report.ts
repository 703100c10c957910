// What a scan has to tell, whatever the format.

import type { FailOn, Located } from '../audit/located.js';

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

/** Words of rules that are no words. */
const SHORT = /\b(?:api|aws|dsn|id|jwt|npm|oauth|xai)\b/gu;
const OWN: Record<string, string> = { npm: 'npm', oauth: 'OAuth', xai: 'xAI' };

/** A finding's name: the rule, in words. */
export function titleOf({ rule }: { readonly rule: string }): string {
  const words = rule.replaceAll('-', ' ');
  const whole = /\b(?:dsn|jwt|key|secret|session|token|value|webhook)\b/u.test(words) ? words : `${words} key`;
  const named = whole.replace(SHORT, (word) => OWN[word] ?? word.toUpperCase());
  return /^(?:npm|xAI)\b/u.test(named) ? named : named.charAt(0).toUpperCase() + named.slice(1);
}
