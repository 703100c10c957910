// Tidegate's detector and secretlint on the same labelled set, which tests/labelled.rs makes: how many of the keys each
// finds, and how often it takes something else for a secret.
//   node benches/labelled.mjs [set.jsonl] [--missed 10]
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { lintSource } from '@secretlint/core';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';
import { Scanner } from 'tidegate';

const { values, positionals } = parseArgs({
  options: { missed: { type: 'string', default: '0' } },
  allowPositionals: true,
});
const ROOT = fileURLToPath(new URL('..', import.meta.url));

function made() {
  const path = fileURLToPath(new URL('../target/labelled.jsonl', import.meta.url));
  const env = { ...process.env, TIDEGATE_LABELLED: path };
  const args = ['test', '--quiet', '--features', 'testing', '--test', 'labelled', 'the_set_as_lines_of_json'];
  execFileSync('cargo', args, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'inherit'] });
  return path;
}

/** One line of the set: `label` is the class of the key in it (`secret`, `ambiguous`, `publishable`), or `none`. */
const set = readFileSync(positionals[0] ?? made(), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line));

const scanner = await Scanner.create();
const id = '@secretlint/secretlint-rule-preset-recommend';
const options = { config: { rules: [{ id, rule: creator, options: {} }] } };
const RANK = { none: 0, publishable: 1, ambiguous: 2, secret: 3 };

/** Name → what it takes a text for. secretlint knows no classes: all that it reports counts as a secret. */
const tools = {
  tidegate(text) {
    const findings = [...scanner.push(text), ...scanner.finish()];
    return findings.reduce((worst, one) => (RANK[one.class] > RANK[worst] ? one.class : worst), 'none');
  },
  async secretlint(content) {
    const source = { content, filePath: '/text.js', ext: '.js', contentType: 'text' };
    const { messages } = await lintSource({ source, options });
    return messages.length > 0 ? 'secret' : 'none';
  },
};

const percent = (part, whole) => `${((100 * part) / whole).toFixed(2)} %`;
const positives = set.filter(({ label }) => label !== 'none');
const negatives = set.filter(({ label }) => label === 'none');
console.log(`${positives.length} texts with a key, ${negatives.length} without a secret`);
for (const [name, judge] of Object.entries(tools)) {
  const missed = [];
  const alarms = [];
  // What one of them has no rule for is no fault of its way to look: kinds that it finds as they stand, apart.
  const known = new Set();
  for (const one of positives) {
    if (RANK[await judge(one.text)] < RANK[one.label]) missed.push(one);
    else if (one.form === 'env') known.add(one.kind);
  }
  for (const one of negatives) if ((await judge(one.text)) === 'secret') alarms.push(one);
  const own = positives.filter(({ kind }) => known.has(kind)).length;
  const ownMissed = missed.filter(({ kind }) => known.has(kind)).length;
  console.log(
    `${name.padEnd(10)}  found ${percent(positives.length - missed.length, positives.length)}` +
      `, of the ${known.size} kinds that it knows ${percent(own - ownMissed, own)}` +
      `, false alarms ${percent(alarms.length, negatives.length)} (${alarms.length})`,
  );
  for (const { kind, form, text } of [...missed, ...alarms].slice(0, Number(values.missed)))
    console.log(`  ${kind} ${form}: ${text.slice(0, 160)}`);
}
