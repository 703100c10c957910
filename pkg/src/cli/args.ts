// What the command line accepts.

import { parseArgs } from 'node:util';

/** Something about the call is wrong: exit code 2 and one sentence. */
export class UsageError extends Error {}

const FORMATS = ['text', 'json', 'sarif', 'github'] as const;
export type Format = (typeof FORMATS)[number];

export interface ScanArgs {
  readonly paths: readonly string[];
  readonly format: Format;
  readonly failOn: 'secret' | 'ambiguous';
  readonly values: readonly string[];
  readonly exclude: readonly string[];
  readonly since?: string | undefined;
  readonly baseline?: string | undefined;
  readonly update: boolean;
  readonly days: number;
  readonly publishable: boolean;
  readonly binary: boolean;
  readonly output?: string | undefined;
}

export interface ValidateArgs {
  readonly folder: string;
  readonly format: 'text' | 'json';
  readonly mode: string;
  readonly output?: string | undefined;
}

export const USAGE = `tidegate: finds keys where they must not be

  tidegate scan [paths]      look for keys in files, commits, built output
  tidegate validate [folder] check a project before it goes into production

  --help with a command says more.
`;

/** What `--update-baseline` writes where no file is named. */
const BASELINE = '.tidegate-baseline.json';

export const SCAN_USAGE = `tidegate scan [paths] [options]

Looks for API keys, tokens and private keys in files: as they stand, escaped, percent- or
base64-encoded, and in source maps. Without paths: this folder. Of a folder everything but
what git ignores is read; a path that is named itself is read in any case, - is the standard
input. Nothing is sent anywhere, and no key is ever printed.

  --format FORMAT      text (default), json, sarif, github
  --fail-on CLASS      secret (default): exit 1 for secrets; ambiguous: also for keys that may
                       be public or secret, such as Google's
  --values FILE        also look for the values of the secrets in this env file, however they are
                       encoded; may be repeated
  --since REV          only what was added after REV: by each commit, and by hand
  --baseline FILE      leave out what this file accepts, until the day it says; none is read unless named
  --update-baseline    write what is found to that file, else to ${BASELINE}
  --days N             how long new entries of the baseline hold; 90 by default, at most 365
  --exclude PATTERN    leave out more, in the syntax of .gitignore; may be repeated
  --publishable        also tell keys that are made to be public
  --binary             also look into files that are no text
  --output FILE        write the report to a file

One finding is allowed by a comment with its rule and a reason, on its line or above it:
  const key = 'gsk_…'; // tidegate-allow RULE: a test's own key

Fingerprints are keyed: with TIDEGATE_FINGERPRINT_KEY (32 bytes in base64), else with the key
in the baseline file, else with a new one for each run.

Exit code: 0 nothing that fails, 1 findings that fail, 2 the scan could not be done.
`;

export const VALIDATE_USAGE = `tidegate validate [folder] [options]

Checks a project before it goes into production: env files and who can read them, the form of
the keys in them, secrets behind public names (VITE_, NEXT_PUBLIC_, …), the built output,
dependencies, the build's and wrangler's configuration. Loading the Vite configuration runs it,
as a build does. Nothing is sent anywhere, and no key is ever printed.

  --format FORMAT      text (default), json
  --mode MODE          whose env files count; production by default
  --output FILE        write the report to a file

Exit code: 0 nothing that must be put right, 1 something must, 2 it could not be checked.
`;

const text = { type: 'string' } as const;
const list = { type: 'string', multiple: true } as const;
const flag = { type: 'boolean', default: false } as const;

export function scanArgs(args: readonly string[]): ScanArgs | 'help' {
  const { values, positionals } = parsed(args, {
    format: text,
    'fail-on': text,
    values: list,
    since: text,
    baseline: text,
    'update-baseline': flag,
    days: text,
    exclude: list,
    publishable: flag,
    binary: flag,
    output: text,
    help: { type: 'boolean', short: 'h' },
  });
  if (values['help'] === true) return 'help';
  const update = values['update-baseline'] === true;
  const baseline = values['baseline'] as string | undefined;
  const since = values['since'] as string | undefined;
  const days = Number(values['days'] ?? 90);
  if (!Number.isInteger(days) || days < 1 || days > 365) throw new UsageError('--days: a whole number from 1 to 365');
  if (update && since !== undefined) throw new UsageError('--update-baseline needs a whole scan: leave out --since');
  if (since !== undefined && positionals.includes('-')) throw new UsageError('--since does not go with -');
  return {
    paths: positionals.length > 0 ? positionals : ['.'],
    format: oneOf('--format', FORMATS, values['format'] ?? 'text'),
    failOn: oneOf('--fail-on', ['secret', 'ambiguous'], values['fail-on'] ?? 'secret'),
    values: (values['values'] ?? []) as string[],
    exclude: (values['exclude'] ?? []) as string[],
    since,
    baseline: baseline ?? (update ? BASELINE : undefined),
    update,
    days,
    publishable: values['publishable'] === true,
    binary: values['binary'] === true,
    output: values['output'] as string | undefined,
  };
}

export function validateArgs(args: readonly string[]): ValidateArgs | 'help' {
  const { values, positionals } = parsed(args, {
    format: text,
    mode: text,
    output: text,
    help: { type: 'boolean', short: 'h' },
  });
  if (values['help'] === true) return 'help';
  if (positionals.length > 1) throw new UsageError('validate takes one folder');
  return {
    folder: positionals[0] ?? '.',
    format: oneOf('--format', ['text', 'json'], values['format'] ?? 'text'),
    mode: (values['mode'] as string | undefined) ?? 'production',
    output: values['output'] as string | undefined,
  };
}

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

function parsed(args: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new UsageError(said.split('. ')[0] ?? said, { cause: error });
  }
}

function oneOf<T extends string>(option: string, known: readonly T[], value: unknown): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw new UsageError(`${option}: one of ${known.join(', ')}`);
  return found;
}
