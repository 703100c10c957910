// What the gateway takes and tells is declared for editors: every field of a configuration, every event.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { rules, Tidegate } from 'tidegate';

import { longestMs } from '../dist/config.js';

const root = new URL('../../', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const all = (text, pattern) => [...text.matchAll(pattern)].map(([, name]) => name);

/** The fields that an object of the configuration may have, as the refusal of an unknown one lists them. */
async function known(config, path) {
  const refusal = await Tidegate.open(config).then(
    // What only the adapter reads is not looked into.
    (gate) => gate.close().then(() => []),
    (error) => error.fields ?? [],
  );
  const own = refusal.find((field) => field.path === path);
  return own?.problem.match(/known are (.*)$/u)?.[1].split(', ') ?? [];
}

/** Every field of a configuration, however deep: `wrap` puts an object where the ones of `path` are. */
async function fields(wrap = (own) => own, path = '') {
  const below = path === '' ? '' : `${path}.`;
  const names = await known(wrap({ unheard: 1 }), `${below}unheard`);
  const found = names.map((name) => `${below}${name}`);
  for (const name of names) {
    // An object, a list of them, or one by each name.
    found.push(...(await fields((own) => wrap({ [name]: own }), `${below}${name}`)));
    found.push(...(await fields((own) => wrap({ [name]: [own] }), `${below}${name}[0]`)));
    found.push(...(await fields((own) => wrap({ [name]: { x: own } }), `${below}${name}.x`)));
  }
  return found;
}

test('every field of the configuration has a type', async () => {
  const types = ['config', 'queue/types', 'vault/presence'].map((name) => read(`pkg/src/${name}.ts`)).join('\n');
  const found = await fields();
  for (const one of ['targets[0].relay', 'keys', 'rates.tiers.x.tokensPerMinute', 'queue.shards', 'autoLock.idleMs']) {
    assert.ok(found.includes(one), `${one} among ${found.join(' ')}`);
  }
  const declared = new Set(all(types, /^\s*(?:\/\*\*.*\*\/ )?(\w+)\??: /gmu));
  const inLine = new Set(all(types, /[{;] (\w+)\??: /gu));
  const missing = found.filter((path) => {
    const name = path.split('.').at(-1);
    return !declared.has(name) && !inLine.has(name);
  });
  assert.deepEqual(missing, []);
});

test('every event has a type, and every type an event', () => {
  const sources = readdirSync(new URL('src/gateway/', root), { recursive: true }).filter((name) =>
    name.endsWith('.rs'),
  );
  const rust = sources.map((name) => read(`src/gateway/${name}`)).join('\n');
  const told = all(rust, /(?:\bemit\(\s*|\btell\([^,;]*, )"([a-z-]+)"/gu);
  told.push(...all(read('src/gateway/context/notices.rs'), /=> "([a-z-]+)"/gu));
  // Of the realm and of the queue, which no request of the gateway tells.
  told.push('queue-progress', 'vault-lock');
  const [, events] = /export interface Events \{\n(.*?)\n\}/su.exec(read('pkg/src/types.ts'));
  const typed = all(events, /^ {2}(?:\/\*\*.*\*\/ )?'?([a-z-]+)'?: [{A-Z]/gmu);
  assert.deepEqual(typed.sort(), [...new Set(told)].sort());
});

test('the watchdog knows how long a request may take', () => {
  const [, seconds] = /\n +total: Duration::from_secs\((\d+)\),/u.exec(read('src/config.rs'));
  assert.equal(longestMs({}), Number(seconds) * 1_000);
  assert.equal(longestMs({ timeouts: { totalMs: 7 } }), 7);
});

test('the types name every provider that is built in', () => {
  const [, table] = /pub const PROVIDERS.*? = \[\n(.*?)\n\];/su.exec(read('src/config/providers.rs'));
  const [, named] = /Built in are (.*?)\.\n/su.exec(read('pkg/src/config.ts'));
  assert.deepEqual(all(named, /`([a-z]+)`/gu), all(table, /^ {4}\("([a-z]+)", /gmu));
});

test('the README counts the kinds of keys', async () => {
  const kinds = new Set((await rules()).map(({ id }) => id));
  assert.equal(Number(/ (\d+) kinds of keys, /u.exec(read('README.md'))[1]), kinds.size);
});
