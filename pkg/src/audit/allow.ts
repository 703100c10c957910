// `tidegate-allow <rule>: <reason>` in a comment, on the finding's line or alone on the line before it.

import type { Pardon } from './located.js';

const COMMENT = /tidegate-allow[ \t]+([\w-]+)[ \t]*(?::[ \t]*([^\r\n]*))?/u;
/** A line of a minified file is no line of a person's: there a comment would allow everything. */
const LONGEST = 1000;

/** What a comment says about a finding of `rule` on `line` (from 1): a pardon, or why the comment is none. */
export function allowance(lines: readonly string[], line: number, rule: string): Pardon | string | undefined {
  const own = lines[line - 1] ?? '';
  if (own.length > LONGEST) return undefined;
  return fromComment(own, rule) ?? fromComment(aloneBefore(lines[line - 2]), rule);
}

/** The line before, if nothing but a comment is on it. */
const aloneBefore = (text = ''): string => (/^\s*(?:\/\/|#|--|;|\/\*|<!--|\*)/u.test(text) ? text : '');

function fromComment(text: string, rule: string): Pardon | string | undefined {
  if (text.length > LONGEST) return undefined;
  const match = COMMENT.exec(text);
  if (!match) return undefined;
  const [, named, rest = ''] = match;
  if (named !== rule) return `the allow comment here is for ${named}`;
  const reason = rest.replace(/\s*(?:\*\/|-->)\s*$/u, '').trim();
  return reason.length > 0
    ? { by: 'comment', reason }
    : `the allow comment gives no reason: tidegate-allow ${rule}: why`;
}
