// Counts the real o200k tokens of texts.json into tests/vectors/token_counts.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';

const here = (path) => new URL(path, import.meta.url);
const texts = JSON.parse(readFileSync(here('texts.json'), 'utf8'));
const rows = texts.map(([kind, text]) =>
  JSON.stringify([kind, text, encode(text, { disallowedSpecial: new Set() }).length]),
);
writeFileSync(here('../../tests/vectors/token_counts.json'), `[\n${rows.join(',\n')}\n]\n`);
