import { beforeEach, describe, expect, it } from 'vitest';

import { books } from '../books';
import { begin, calm, errorOf, read, saidIn, script, seen, until } from '../client';

beforeEach(calm);

/** As vitest.config.ts sets it: each request is bounded by one cent, and the cap is fifty of them. */
const CENT = 10_000_000;

/** A stream that has begun and goes on for as long as somebody is there. */
async function begun(signal?: AbortSignal) {
  await script('groq', { pieces: 10, after: 2, then: 'hold' });
  const response = await begin({}, {}, signal);
  const reader = response.body!.getReader();
  await reader.read();
  return { response, reader };
}

const hungUp = async () => (await seen()).every(({ gone }) => gone);

describe('the money of a stream', () => {
  it('is held while it goes on and settled at its end', async () => {
    const { response, reader } = await begun();
    expect(response.headers.get('x-tidegate-reserved-nano-usd')).toBe(String(CENT));
    expect(await books()).toMatchObject({ spentNanoUsd: 0, reservedNanoUsd: CENT });
    await script('groq', {});
    while (!(await reader.read()).done);
    // 5 tokens of 1,000.
    expect(await books()).toMatchObject({ spentNanoUsd: 0.005 * CENT, reservedNanoUsd: 0 });
  });

  it('is refused beyond the cap, as a plain error', async () => {
    await script('groq', { pieces: 10, after: 2, then: 'hold' });
    const open = await Promise.all(Array.from({ length: 51 }, () => begin()));
    const refused = open.filter(({ status }) => status !== 200);
    expect(refused.map(({ status }) => status)).toEqual([402]);
    expect(errorOf(await read(refused[0]!)).code).toBe('budget_exceeded');
    expect((await books()).reservedNanoUsd).toBe(50 * CENT);
    await script('groq', {});
    for (const response of open) if (response.status === 200) expect(saidIn(await response.text())).toContain('heard');
    expect(await books()).toMatchObject({ spentNanoUsd: 0.25 * CENT, reservedNanoUsd: 0 });
  });
});

describe('a caller who goes away', () => {
  // It was sent, so it may be billed: the bound counts as spent.
  const settled = async () => {
    await until(async () => (await books()).reservedNanoUsd === 0);
    expect((await books()).spentNanoUsd).toBe(CENT);
    await until(hungUp);
  };

  it('by an abort settles its stream and hangs up on the provider', async () => {
    const controller = new AbortController();
    const { reader } = await begun(controller.signal);
    expect((await books()).reservedNanoUsd).toBe(CENT);
    controller.abort();
    await expect(reader.read()).rejects.toThrow();
    await settled();
  });

  it('by leaving the body settles its stream and hangs up on the provider', async () => {
    const { reader } = await begun();
    await reader.cancel();
    await settled();
  });

  it('before the first output settles it too', async () => {
    await script('groq', { after: 0, then: 'hold' });
    const controller = new AbortController();
    const gone = begin({}, {}, controller.signal).catch(() => 'gone');
    await until(async () => (await seen()).some(({ sent }) => sent > 0));
    controller.abort();
    expect(await gone).toBe('gone');
    await settled();
  });

  it('leaves the slots to those who stay', async () => {
    for (let index = 0; index < 10; index += 1) {
      const { reader } = await begun();
      await reader.cancel();
    }
    await until(async () => (await books()).reservedNanoUsd === 0);
    await script('groq', {});
    const answer = await read(await begin());
    expect(answer.status).toBe(200);
    expect(await books()).toMatchObject({ spentNanoUsd: 10 * CENT + 0.005 * CENT, reservedNanoUsd: 0 });
  });
});
