// One provider that fails in one way, behind a gate of its own; if wanted, a second one that is well. A question is
// asked, and everything that can be seen of it from outside is written down.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { Tidegate } from 'tidegate';

import { USAGE } from '../stand-in/replies.mjs';
import { startStandIn } from '../stand-in.mjs';
import { KEYS, PROVIDERS } from '../transports/gates.mjs';
import { ASKING, CODES, readStream, readWhole } from './callers.mjs';

/** Nobody waits longer, however slow the machine is: it hangs. */
const HANGS_MS = 60_000;

/** Those that fail: each provider in each dialect that it has. `callers`: in its own dialect, in another one, or both. */
export const FAILING = [
  { provider: 'openai', dialect: 'chat', callers: ['chat', 'google'], second: 'anthropic' },
  { provider: 'openai', dialect: 'responses', callers: ['responses', 'chat'], second: 'google' },
  { provider: 'groq', dialect: 'chat', callers: ['chat', 'responses'], second: 'google' },
  { provider: 'openrouter', dialect: 'chat', callers: ['chat', 'anthropic'], second: 'anthropic' },
  { provider: 'deepseek', dialect: 'chat', callers: ['chat'], second: 'google' },
  { provider: 'huggingface', dialect: 'chat', callers: ['anthropic'], second: 'anthropic' },
  { provider: 'anthropic', dialect: 'anthropic', callers: ['anthropic', 'responses'], second: 'groq' },
  { provider: 'google', dialect: 'google', callers: ['google', 'anthropic'], second: 'openai' },
];

const MODEL = 'stand-in';
/** Dollars a million, the same everywhere, so that no price table is tested here. */
const PRICE = { model: MODEL, inputUsd: '0.4', outputUsd: '1.6', context: 100_000, maxOutput: 10_000 };

/** Nano-dollars for an answer: OpenRouter says itself what it took. */
export const costOf = (provider) => (provider === 'openrouter' ? 21_000 : USAGE.input * 400 + USAGE.output * 1_600);

/** The one that a fault is about runs out soon; all others are out of reach of a busy machine too. */
const LATE = { headersMs: 50_000, firstOutputMs: 50_000, idleMs: 50_000, attemptMs: 50_000, totalMs: 55_000 };
const TIMERS = { headers: 'headersMs', 'first-output': 'firstOutputMs', idle: 'idleMs', attempt: 'attemptMs' };
/** The stand-in has to have heard of the request by then; between outputs it has, and there a slow piece takes 700. */
const SOON_MS = { idle: 500, other: 1_500 };
/** Before the first output another target may be asked, and has to answer before the same timer runs out. */
const SOON_FOR_SECOND_MS = 2_000;

let worlds = 0;

async function openGate(standIn, { provider, dialect }, second, timeouts) {
  const names = second ? [provider, second] : [provider];
  const gate = await Tidegate.open({
    name: `faults-${(worlds += 1)}`,
    targets: names.map((name) => ({ provider: name, model: MODEL })),
    providers: Object.fromEntries(
      names.map((name) => [
        name,
        { baseUrl: `${standIn.root(name)}${PROVIDERS[name][1]}`, ...(name === provider ? { dialect } : {}) },
      ]),
    ),
    prices: names.map((name) => ({ provider: name, ...PRICE })),
    // A back-off is over at once. Of stated waits the short ones are slept, unless another target can be asked.
    retry: { maxRetries: 1, baseMs: 1, capMs: 3_000, shortWaitMs: 50 },
    timeouts,
    budget: { limitUsd: '100' },
    ledger: 'memory',
    // Callers of every dialect, whatever the targets speak.
    dialects: 'all',
  });
  for (const name of names) await gate.vault.putForSession(name, KEYS[name]);
  return gate;
}

async function until(met, what) {
  for (const started = Date.now(); !(await met()); await sleep(10)) assert.ok(Date.now() - started < 15_000, what);
}

const bounds = new Map();

/** What an attempt is billed where nobody knows how far it came: what one that is well reserves while it goes on. */
export function boundOf(failing, caller, stream) {
  const name = `${failing.provider} ${failing.dialect} ${caller} ${stream}`;
  if (!bounds.has(name)) bounds.set(name, watchedBound(failing, caller, stream));
  return bounds.get(name);
}

async function watchedBound(failing, caller, stream) {
  let bound;
  const whileAsked = async (gate) => (bound = (await gate.status()).budget.reservedNanoUsd);
  await ask({ failing, caller, stream, fault: { kind: 'hold' }, whileAsked });
  assert.ok(bound > costOf(failing.provider), `${bound}`);
  return bound;
}

/**
 * Asks and reads to the end; checks that nothing is left behind.
 * @param {object} given
 * @param {(typeof FAILING)[number]} given.failing
 * @param {string} given.caller dialect of who asks
 * @param {boolean} given.stream
 * @param {object} [given.fault] of the first target, at each request
 * @param {keyof typeof TIMERS} [given.timer] which of the gate's timers runs out soon
 * @param {boolean} [given.withSecond] whether there is a second target, which is well
 * @param {(gate: Tidegate, question: string) => unknown} [given.whileAsked] called once the provider is asked, which lets
 *   go afterwards what it holds
 */
export async function ask({ failing, caller, stream, fault, timer, withSecond = false, whileAsked }) {
  const standIn = await startStandIn();
  const soonMs = timer === 'idle' ? SOON_MS.idle : withSecond ? SOON_FOR_SECOND_MS : SOON_MS.other;
  const timeouts = timer ? { ...LATE, [TIMERS[timer]]: soonMs } : LATE;
  const gate = await openGate(standIn, failing, withSecond ? failing.second : undefined, timeouts);
  const giveUp = new AbortController();
  try {
    if (fault) standIn.faults(failing.provider, [], fault);
    const told = [];
    gate.on('request-end', ({ ok, code, costNanoUsd }) => told.push({ ok, code, costNanoUsd }));
    const question = `Why is faulty sea ${String(worlds).padStart(6, '0')} salty?`;
    const exchanged = exchange(gate, caller, question, stream);
    if (whileAsked) {
      await until(() => standIn.journal.length > 0, 'the provider is asked');
      await whileAsked(gate, question);
      standIn.release();
    }
    const seen = await Promise.race([
      exchanged,
      sleep(HANGS_MS, undefined, { signal: giveUp.signal }).then(() => assert.fail('it hangs')),
    ]);
    await until(async () => (await gate.status()).inFlight === 0, 'it is no longer in flight');
    const { budget } = await gate.status();
    assert.equal(budget.reservedNanoUsd, 0, 'nothing stays reserved');
    // A connection whose answer nobody waits for any more is hung up on.
    await until(
      () => standIn.journal.every((entry) => entry.aborted || entry.status !== undefined),
      'the provider is hung up on',
    );
    return { ...seen, question, spent: budget.spentNanoUsd, told, journal: standIn.journal };
  } finally {
    giveUp.abort();
    await gate.close();
    await standIn.stop();
  }
}

/** The exchange as the caller sees it, and the account of it. */
async function exchange(gate, caller, question, stream) {
  const [url, init] = ASKING[caller](question, stream);
  const response = await gate.fetch(url, init);
  const { status, headers } = response;
  const body = await response.text();
  const [account, error] = await gate.fetch.result(response).then(
    (given) => [given, undefined],
    (thrown) => [undefined, thrown],
  );
  const seen = { status, headers, account, error };
  const type = headers.get('content-type');
  if (!response.ok) {
    assert.match(type, /^application\/json/);
    return { ...seen, text: '', finished: false, code: CODES[caller](JSON.parse(body)) };
  }
  assert.match(type, stream ? /^text\/event-stream/ : /^application\/json/);
  const read = stream ? readStream(caller, body) : readWhole(caller, body);
  return { ...seen, ...read, code: read.failed && CODES[caller](read.failed) };
}
