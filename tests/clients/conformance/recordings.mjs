// Recorded answers of the providers. They lie beside the project and are no part of it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const FOLDER = process.env.TIDEGATE_FIXTURES ?? join(ROOT, '../shared/fixtures');

const dialectOf = (provider) => ({ anthropic: 'anthropic', google: 'google' })[provider] ?? 'chat';

/** The stream that events came in, from one event a line. */
function framed(dialect, text) {
  const frame = (line) => `${dialect === 'anthropic' ? `event: ${JSON.parse(line).type}\n` : ''}data: ${line}\n\n`;
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map(frame).join('') + (dialect === 'chat' ? 'data: [DONE]\n\n' : '');
}

function recording(folder, file) {
  const [, name, ending] = /^(.*?)(\.chunks\.txt|\.sse|\.json)$/.exec(file);
  const dialect = dialectOf(folder);
  // Which compatible server it was, for what is peculiar to it.
  const provider = name.startsWith('xai-') ? 'xai' : folder;
  const raw = readFileSync(join(FOLDER, folder, file), 'utf8');
  const text = ending === '.chunks.txt' ? framed(dialect, raw) : raw;
  return { name, provider, dialect, stream: ending !== '.json', text };
}

/** @returns {{ name: string, provider: string, dialect: string, stream: boolean, text: string }[]} none where there are none */
export function recordings() {
  if (!existsSync(FOLDER)) return [];
  const folders = readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.flatMap(({ name: folder }) =>
    readdirSync(join(FOLDER, folder))
      .sort()
      .map((file) => recording(folder, file)),
  );
}
