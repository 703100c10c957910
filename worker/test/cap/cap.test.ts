import { env } from 'cloudflare:workers';
import { abortAllDurableObjects, evictAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { books, figures, ledger, stored } from '../books';
import { ask, call, calm, errorOf, journal, script, until, type Answer } from '../client';

beforeEach(calm);

/** As vitest.config.ts sets it: each request is bounded by one cent, and the cap is fifty of them. */
const CENT = 10_000_000;
const CAP = 50 * CENT;
const REQUESTS = 200;

/** What they answered, with the time of the reset where there is one. */
function refused(answer: Answer) {
  const { code, type, tidegate } = errorOf(answer);
  return { status: answer.status, code, type, budget: tidegate.budget };
}

describe('200 different requests of one tenant at once, a cap for 50', () => {
  it('admits exactly 50 while no answer has come', async () => {
    await script('groq', { hold: true, outputTokens: 1000 });
    const over: Answer[] = [];
    const all = Array.from({ length: REQUESTS }, async () => {
      const answer = await ask();
      over.push(answer);
      return answer;
    });
    await until(() => over.length >= REQUESTS - 50);
    expect(over.map(({ status }) => status)).toEqual(Array(150).fill(402));
    expect(await books()).toMatchObject({ limitNanoUsd: CAP, spentNanoUsd: 0, reservedNanoUsd: CAP });
    await script('groq', { outputTokens: 1000 });

    const answers = await Promise.all(all);
    expect(answers.filter(({ status }) => status === 200).length).toBe(50);
    expect((await journal()).length).toBe(50);
    const midnight = new Date().setUTCHours(24, 0, 0, 0);
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      expect(refused(answer)).toMatchObject({
        status: 402,
        code: 'budget_exceeded',
        type: 'insufficient_quota',
        budget: { limitNanoUsd: CAP, resetsAt: midnight },
      });
    }
    expect(await books()).toMatchObject({ spentNanoUsd: CAP, reservedNanoUsd: 0, overshootNanoUsd: 0 });
    const ready = await call('/readyz');
    expect([ready.status, ready.text]).toEqual([503, '{"status":"not ready","reasons":["budget: nothing is left"]}']);
  });

  it('never spends and reserves more than the cap while answers come and go', async () => {
    // Half of each bound is used, so that what is given back is reserved again.
    await script('groq', { delayMs: 5, outputTokens: 500 });
    let highest = 0;
    const look = async () => {
      const { spentNanoUsd, reservedNanoUsd } = await books();
      highest = Math.max(highest, spentNanoUsd + reservedNanoUsd);
    };
    const answers = await Promise.all(
      Array.from({ length: REQUESTS }, async (_, index) => {
        await new Promise((resolve) => setTimeout(resolve, Math.floor(index / 20) * 10));
        const answer = await ask();
        await look();
        return answer;
      }),
    );
    const admitted = answers.filter(({ status }) => status === 200).length;
    expect(admitted).toBeGreaterThanOrEqual(50);
    expect(admitted).toBeLessThanOrEqual(100);
    expect(answers.filter(({ status }) => status === 402).length).toBe(REQUESTS - admitted);
    expect(highest).toBeLessThanOrEqual(CAP);
    expect(await books()).toMatchObject({ spentNanoUsd: (admitted * CENT) / 2, reservedNanoUsd: 0 });
    expect((await journal()).length).toBe(admitted);
  });
});

describe('the ledger', () => {
  it.each([
    ['evicted', evictAllDurableObjects],
    ['aborted', abortAllDurableObjects],
  ])('keeps the budget when its object is %s', async (_, restart) => {
    await script('groq', { outputTokens: 700 });
    await ask();
    const before = await books();
    expect(before.spentNanoUsd).toBe(0.7 * CENT);
    const { snapshot } = await stored();
    await restart();
    expect(await books()).toEqual(before);
    expect((await stored()).snapshot).toEqual(snapshot);
  });

  it('keeps the budget when the whole isolate starts anew', async () => {
    await script('groq', { outputTokens: 1000 });
    for (let sent = 0; sent < 50; sent += 1) await ask();
    vi.resetModules();
    await abortAllDurableObjects();
    const { default: fresh } = await import('../../src/index');
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'after the restart' }], max_tokens: 1000 });
    const headers = { authorization: `Bearer ${env.TIDEGATE_TOKEN}` };
    const request = new Request('https://gateway.example/v1/chat/completions', { method: 'POST', body, headers });
    const context = { waitUntil: () => {}, passThroughOnException: () => {} } as unknown as ExecutionContext;
    const response = await fresh.fetch(request, env, context);
    expect(response.status).toBe(402);
  });

  it('admits nothing when its tables are newer than the code, and leaves them as they are', async () => {
    await ask();
    const { snapshot } = await stored();
    await runInDurableObject(ledger(), (_, state) => void state.storage.sql.exec('UPDATE schema SET version = 99'));
    await evictAllDurableObjects();
    await journal();
    const answer = await ask();
    expect(answer.status).toBe(500);
    expect(errorOf(answer).code).toBe('vault_corrupt');
    expect(await journal()).toEqual([]);
    expect((await stored()).snapshot).toEqual(snapshot);
  });

  it('admits nothing when what is stored cannot be read, and leaves it as it is', async () => {
    await ask();
    const damaged = new Uint8Array([255, 1, 2, 3]);
    await runInDurableObject(
      ledger(),
      (_, state) => void state.storage.sql.exec("UPDATE rows SET row = ? WHERE key = 'ledger'", damaged),
    );
    await evictAllDurableObjects();
    await journal();
    const answer = await ask();
    expect([answer.status, errorOf(answer).code]).toEqual([500, 'vault_corrupt']);
    expect(await journal()).toEqual([]);
    expect(new Uint8Array((await stored()).snapshot)).toEqual(damaged);
  });

  it('knows nothing of a decision that could not be written', async () => {
    await ask();
    await until(async () => (await books()).reservedNanoUsd === 0);
    const { spentNanoUsd } = await books();
    const rename = (from: string, to: string) =>
      runInDurableObject(ledger(), (_, state) => void state.storage.sql.exec(`ALTER TABLE ${from} RENAME TO ${to}`));
    await rename('rows', 'gone');
    await journal();
    expect((await ask()).status).toBe(500);
    expect(await journal()).toEqual([]);
    await rename('gone', 'rows');
    expect(await books()).toMatchObject({ spentNanoUsd, reservedNanoUsd: 0 });
  });

  it('answers hostile commands with bytes as text, never with an exception', async () => {
    for (const command of ['', '\0', '\xff\xff\xff', '\u{1f600}', '\x07'.repeat(70_000)])
      expect(await ledger().decide(command)).toMatch(/^[\0-\xff]*$/);
    expect((await figures()).budget.reservedNanoUsd).toBe(0);
  });

  it('frees an aborted request’s slot and money at once', async () => {
    await script('groq', { hold: true });
    const controller = new AbortController();
    const gone = ask({}, {}, controller.signal).catch(() => 'gone');
    await until(async () => (await books()).reservedNanoUsd === CENT);
    controller.abort();
    expect(await gone).toBe('gone');
    await until(async () => (await books()).reservedNanoUsd === 0);
    // It was sent, so it may be billed: the bound counts as spent.
    expect((await books()).spentNanoUsd).toBe(CENT);
  });
});
