// The reports for machines, and the baseline.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';

import Ajv from 'ajv-draft-04';
import addFormats from 'ajv-formats';

import { folder, googleKey, groqKey, put, scanned, tidegate } from './support.mjs';

const require = createRequire(import.meta.url);
const schema = require('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
addFormats(ajv);
const valid = ajv.compile(schema);

test('SARIF is valid by its schema, with rules, places, suppressions', async (t) => {
  const key = groqKey();
  const [{ rule }] = (await scanned(folder(t, { 'a.js': key }))).findings;
  const cwd = folder(t, {
    'with blank #1.js': `const k = '${key}';\n`,
    'b.js': `const k = '${key}'; // tidegate-allow ${rule}: only a test\n`,
    'c.js': `const k = '${googleKey()}';\n`,
  });
  const { code, stdout } = await tidegate(cwd, ['scan', '--format', 'sarif']);
  assert.equal(code, 1);
  const log = JSON.parse(stdout);
  assert.ok(valid(log), JSON.stringify(valid.errors, null, 2));
  const [{ results, tool }] = log.runs;
  assert.equal(results.length, 3);
  for (const { ruleId, ruleIndex } of results) assert.equal(tool.driver.rules[ruleIndex].id, ruleId);
  const of = (uri) => results.find((one) => one.locations[0].physicalLocation.artifactLocation.uri === uri);
  assert.deepEqual(of('with%20blank%20%231.js').locations[0].physicalLocation.region, {
    startLine: 1,
    startColumn: 12,
  });
  assert.equal(of('with%20blank%20%231.js').level, 'error');
  assert.deepEqual(of('b.js').suppressions, [{ kind: 'inSource', justification: 'only a test' }]);
  assert.equal(of('c.js').level, 'warning');
  assert.ok(!valid({ version: '2.1.0' }), 'the schema does refuse');
});

test("GitHub's commands are one line each, whatever is in a name", async (t) => {
  const cwd = folder(t, { 'a,b:c%.js': `const k = '${groqKey()}';\n` });
  const { stdout } = await tidegate(cwd, ['scan', '--format', 'github']);
  assert.match(stdout, /^::error file=a%2Cb%3Ac%25\.js,line=1,col=12,title=[^\n]+::[^\n]+\n$/u);
});

test('--output writes the report to a file', async (t) => {
  const cwd = folder(t, { 'a.js': groqKey() });
  const { code, stdout } = await tidegate(cwd, ['scan', 'a.js', '--format', 'json', '--output', 'report.json']);
  assert.deepEqual([code, stdout], [1, '']);
  assert.equal(JSON.parse(readFileSync(join(cwd, 'report.json'), 'utf8')).failed, 1);
});

test('a baseline accepts what it knows until its day, and nothing else', async (t) => {
  const known = groqKey();
  const cwd = folder(t, { 'a.js': `k = '${known}'` });
  const path = join(cwd, '.tidegate-baseline.json');
  const args = ['--baseline', '.tidegate-baseline.json'];
  const made = await tidegate(cwd, ['scan', '--update-baseline']);
  assert.equal(made.code, 0);
  assert.match(made.stdout, /1 accepted \(1 new, for 90 days/u);
  assert.match(made.stdout, /left out of a scan with --baseline \.tidegate-baseline\.json$/mu);
  const read = () => JSON.parse(readFileSync(path, 'utf8'));
  const change = (patch) => writeFileSync(path, JSON.stringify({ ...read(), ...patch(read()) }));
  assert.ok(!readFileSync(path, 'utf8').includes(known.slice(4, 40)));

  const accepted = await scanned(cwd, args);
  assert.equal(accepted.code, 0);
  assert.equal(accepted.findings[0].pardon.by, 'baseline');
  put(cwd, { 'moved/b.js': `other = '${known}'` });
  assert.equal((await scanned(cwd, args)).code, 0, 'by key, not by place');
  put(cwd, { 'c.js': `k = '${groqKey()}'` });
  const more = await scanned(cwd, args);
  assert.deepEqual([more.code, more.failed], [1, 1]);

  const past = (entries) => entries.map((entry) => ({ ...entry, until: '2020-01-01', reason: 'seen' }));
  change(({ entries }) => ({ entries: past(entries) }));
  const over = await scanned(cwd, args);
  assert.deepEqual([over.code, over.failed], [1, 3]);
  assert.match(over.findings.find(({ path: at }) => at === 'a.js').note, /2020-01-01; that time is over/u);

  await tidegate(cwd, ['scan', '--update-baseline', '--days', '5']);
  const { entries } = read();
  assert.equal(entries.length, 2, 'one for each key');
  assert.ok(entries.every(({ until, reason }) => until > '2020-01-01' && reason === 'not yet looked at'));
  assert.equal((await scanned(cwd, args)).code, 0);
  change(({ entries: all }) => ({ entries: all.map((entry) => ({ ...entry, reason: 'a test key' })) }));
  await tidegate(cwd, ['scan', '--update-baseline']);
  assert.ok(
    read().entries.every(({ reason }) => reason === 'a test key'),
    'what holds keeps its reason',
  );
  change(() => ({ entries: [{ fingerprint: 'x', rule: 'y', path: 'z', reason: 'r', until: 'soon' }] }));
  const broken = await tidegate(cwd, ['scan', ...args]);
  assert.equal(broken.code, 2);
  assert.match(broken.stderr, /entries\[0\]\.until/u);
});

test('with a key in the environment, none is in the baseline, and fingerprints stay', async (t) => {
  const cwd = folder(t, { 'a.js': `k = '${groqKey()}'` });
  const env = { TIDEGATE_FINGERPRINT_KEY: Buffer.alloc(32, 7).toString('base64') };
  await tidegate(cwd, ['scan', '--update-baseline'], env);
  assert.ok(!('key' in JSON.parse(readFileSync(join(cwd, '.tidegate-baseline.json'), 'utf8'))));
  const args = ['--baseline', '.tidegate-baseline.json'];
  assert.equal((await scanned(cwd, args, env)).code, 0);
  const other = { TIDEGATE_FINGERPRINT_KEY: Buffer.alloc(32, 8).toString('base64') };
  assert.equal((await scanned(cwd, args, other)).code, 1);
  const [first, again, third] = await Promise.all([scanned(cwd, [], env), scanned(cwd, [], env), scanned(cwd)]);
  assert.equal(first.findings[0].fingerprint, again.findings[0].fingerprint);
  assert.notEqual(first.findings[0].fingerprint, third.findings[0].fingerprint);
  const { code, stderr } = await tidegate(cwd, ['scan'], { TIDEGATE_FINGERPRINT_KEY: 'short' });
  assert.equal(code, 2);
  assert.match(stderr, /TIDEGATE_FINGERPRINT_KEY: must be 32 bytes/u);
});
