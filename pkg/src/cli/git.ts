// What a scan asks git: which files it tracks, and what a range of commits added.

import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs git to its end; what it printed. Throws an `Error` with git's own words. */
export async function git(cwd: string, args: readonly string[]): Promise<string> {
  let told = '';
  for await (const chunk of gitStream(cwd, args)) told += chunk;
  return Buffer.from(told, 'latin1').toString('utf8');
}

/** What git prints, in pieces; one character is one byte. */
async function* gitStream(cwd: string, args: readonly string[]): AsyncGenerator<string> {
  const quiet = ['-c', 'core.quotePath=false', '-c', 'color.ui=never'];
  const child = spawn('git', [...quiet, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  ended.catch(() => undefined);
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  child.stdout.setEncoding('latin1');
  for await (const chunk of child.stdout) yield chunk as string;
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(complaint.trim().split('\n')[0] || `git ended with ${code}`);
}

/** The lines that one commit, or the working tree, added to one file. */
export interface Added {
  /** Relative to the repository's root. */
  readonly path: string;
  /** Absent for what is not committed. */
  readonly commit?: string;
  /** The added lines, joined. */
  readonly bytes: Uint8Array;
  /** The number in the file of each of those lines. */
  readonly lines: readonly number[];
}

/** What was added since a revision: by each commit, for what a commit added stays in the history, and by hand. */
export async function* addedSince(cwd: string, revision: string, paths: readonly string[]): AsyncGenerator<Added> {
  const commit = await commitOf(cwd, revision);
  const diff = [
    '-U0',
    '--no-ext-diff',
    '--no-textconv',
    '-M',
    '--diff-filter=ACMR',
    '--src-prefix=a/',
    '--dst-prefix=b/',
  ];
  const only = ['--', ...paths];
  yield* additions(gitStream(cwd, ['log', '-p', '--format=commit %H', ...diff, `${commit}..HEAD`, ...only]));
  yield* additions(gitStream(cwd, ['diff', ...diff, 'HEAD', ...only]));
}

async function commitOf(cwd: string, revision: string): Promise<string> {
  const wanted = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  try {
    return (await git(cwd, wanted)).trim();
  } catch (error) {
    await git(cwd, ['rev-parse', '--git-dir']).catch(() => {
      throw new Error('--since needs a git repository, and git');
    });
    throw new Error(`--since: ${revision} is no commit of this repository`, { cause: error });
  }
}

/** Reads a diff without context. The counts of each hunk say what is a line of a file and what is a header. */
async function* additions(chunks: AsyncIterable<string>): AsyncGenerator<Added> {
  let commit: string | undefined;
  let path: string | undefined;
  let lines: number[] = [];
  let texts: string[] = [];
  let at = 0;
  let removed = 0;
  let added = 0;
  const take = function* (): Generator<Added> {
    if (path !== undefined && texts.length > 0) {
      yield {
        path,
        bytes: Buffer.from(texts.join('\n'), 'latin1'),
        lines,
        ...(commit === undefined ? {} : { commit }),
      };
    }
    [path, lines, texts] = [undefined, [], []];
  };
  for await (const line of eachLine(chunks)) {
    if (removed > 0 && line.startsWith('-')) removed -= 1;
    else if (added > 0 && line.startsWith('+')) {
      added -= 1;
      lines.push(at);
      texts.push(line.slice(1));
      at += 1;
    } else if (line.startsWith('commit ') || line.startsWith('diff --git ')) {
      yield* take();
      if (line.startsWith('commit ')) commit = line.slice(7);
    } else if (line.startsWith('+++ ')) path = pathIn(line.slice(4));
    else {
      const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/u.exec(line);
      if (hunk) [removed, at, added] = [Number(hunk[1] ?? 1), Number(hunk[2]), Number(hunk[3] ?? 1)];
    }
  }
  yield* take();
}

/** `b/path`, or in quotes with C's escapes; a tab follows a path with blanks. */
function pathIn(told: string): string {
  let path = told.replace(/\t$/u, '');
  if (path.startsWith('"')) {
    path = path
      .slice(1, -1)
      .replace(/\\(?:([0-7]{3})|(.))/gu, (_, octal: string | undefined, char: string) =>
        octal === undefined ? ({ n: '\n', t: '\t', r: '\r' }[char] ?? char) : String.fromCharCode(parseInt(octal, 8)),
      );
  }
  return Buffer.from(path.replace(/^b\//u, ''), 'latin1').toString('utf8');
}

async function* eachLine(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest !== '') yield rest;
}
