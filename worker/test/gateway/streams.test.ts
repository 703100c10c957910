import { beforeEach, describe, expect, it } from 'vitest';

import { books } from '../books';
import { begin, calm, chunksOf, errorOf, eventsOf, journal, read, saidIn, script, seen, trailerOf } from '../client';

beforeEach(calm);

const GROQ = 'groq/openai/gpt-oss-20b';
const OPENROUTER = 'openrouter/qwen/qwen3-coder:free';
/** 10 tokens in at $0.075 and 5 out at $0.30 a million. */
const COST = 2250;

describe('a stream', () => {
  it('passes through as it comes, says what it holds, and is settled by its hidden usage', async () => {
    const answer = await read(await begin());
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-tidegate-target')).toBe(GROQ);
    expect(answer.headers.get('x-tidegate-attempts')).toBe('1');
    expect(answer.headers.get('x-tidegate-cache')).toBe('miss');
    expect(answer.headers.get('x-request-id')).toMatch(/^tg-[0-9a-f]+$/);
    // 1,000 tokens out at most, and what goes in.
    expect(Number(answer.headers.get('x-tidegate-reserved-nano-usd'))).toBeGreaterThan(300_000);
    expect(answer.headers.get('x-tidegate-cost-nano-usd')).toBeNull();
    expect(saidIn(answer.text)).toMatch(/^groq heard: question \d+$/);
    expect(eventsOf(answer.text).at(-1)).toBe('[DONE]');
    // The provider was asked for its usage; the caller was not, so it does not see it.
    expect(JSON.parse((await journal())[0]?.body ?? '')).toMatchObject({ stream_options: { include_usage: true } });
    expect(chunksOf(answer.text).filter(({ usage }) => usage)).toEqual([]);
    expect(answer.text).not.toContain('tidegate');
    expect(await books()).toMatchObject({ spentNanoUsd: COST, reservedNanoUsd: 0 });
  });

  it('carries its usage to a caller who asks for it', async () => {
    const { text } = await read(await begin({ stream_options: { include_usage: true } }));
    expect(chunksOf(text).at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 5 } });
  });

  it('is read from the provider no faster than by its caller', async () => {
    const pieces = 2_000;
    const pieceBytes = 16_384;
    await script('groq', { pieces, pieceBytes });
    const reader = (await begin()).body!.getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 700));
    const early = (await seen()).at(-1);
    // What sockets take by themselves, far from all of it.
    expect(early?.sent).toBeLessThan(pieces * pieceBytes * 0.6);
    let bytes = 0;
    for (let next = await reader.read(); !next.done; next = await reader.read()) bytes += next.value.byteLength;
    expect(bytes).toBeGreaterThan(pieces * pieceBytes * 0.99);
    expect(await books()).toMatchObject({ spentNanoUsd: COST, reservedNanoUsd: 0 });
  });

  it('goes its own way beside others', async () => {
    await script('groq', { pieces: 20, delayMs: 5 });
    const texts = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const messages = [{ role: 'user', content: `mine is ${index}` }];
        return saidIn((await read(await begin({ messages }))).text);
      }),
    );
    texts.forEach((text, index) => expect(text).toContain(`groq heard: mine is ${index} 2 3`));
    expect(await books()).toMatchObject({ spentNanoUsd: 20 * COST, reservedNanoUsd: 0 });
  });

  it('is replayed from the cache at no cost', async () => {
    const again = async () => read(await begin({ messages: [{ role: 'user', content: 'once more' }] }));
    const first = await again();
    const hit = await again();
    expect(hit.headers.get('x-tidegate-cache')).toBe('hit');
    expect(hit.headers.get('x-tidegate-cost-nano-usd')).toBe('0');
    expect(hit.headers.get('content-type')).toBe('text/event-stream');
    expect(saidIn(hit.text)).toBe(saidIn(first.text));
    expect((await journal()).length).toBe(1);
  });
});

describe('a stream that fails', () => {
  it.each([{ status: 503 }, { after: 0, then: 'cut' as const }, { after: 0, then: 'error' as const }])(
    'before its first output is given to the next target: %o',
    async (failing) => {
      await script('groq', failing);
      const answer = await read(await begin());
      expect(answer.status).toBe(200);
      expect(answer.headers.get('x-tidegate-target')).toBe(OPENROUTER);
      expect(answer.headers.get('x-tidegate-attempts')).toBe('3');
      expect(saidIn(answer.text)).toMatch(/^openrouter heard/);
      expect((await books()).reservedNanoUsd).toBe(0);
    },
  );

  it('at every target is a plain error', async () => {
    await script('groq', { status: 503 });
    await script('openrouter', { after: 0, then: 'cut' });
    const answer = await read(await begin());
    expect(answer.status).toBe(502);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(errorOf(answer).tidegate.attempts.length).toBe(4);
  });

  it.each(['cut', 'error'] as const)('after it ends with an error in band: %s', async (then) => {
    await script('groq', { pieces: 5, after: 2, then });
    const { status, text } = await read(await begin({}, { 'x-tidegate-trailer': '1' }));
    expect(status).toBe(200);
    expect(saidIn(text)).toMatch(/^groq heard: question \d+$/);
    expect(chunksOf(text).at(-1)?.error).toMatchObject({ code: 'stream_interrupted', type: 'server_error' });
    expect(text).not.toContain('secret detail');
    // A second provider's words never follow the first's.
    expect((await journal()).map(({ provider }) => provider)).toEqual(['groq']);
    const { costNanoUsd, costSource, error } = trailerOf(text) as Record<string, unknown>;
    expect({ costSource, error }).toMatchObject({ costSource: 'estimated', error: { code: 'stream_interrupted' } });
    expect(await books()).toMatchObject({ spentNanoUsd: costNanoUsd, reservedNanoUsd: 0 });
  });
});

describe('the trailer', () => {
  const asked = { 'x-tidegate-trailer': '1' };

  it('is the account, as a comment after the end', async () => {
    const { text, headers } = await read(await begin({}, asked));
    expect(trailerOf(text)).toMatchObject({
      requestId: headers.get('x-request-id'),
      target: GROQ,
      costNanoUsd: COST,
      costSource: 'computed',
      usage: { inputTokens: 10, outputTokens: 5 },
    });
    // Clients see nothing of it.
    expect(eventsOf(text).at(-1)).toBe('[DONE]');
  });

  it('follows a replay too', async () => {
    const again = async () => read(await begin({ messages: [{ role: 'user', content: 'with trailer' }] }, asked));
    await again();
    expect(trailerOf((await again()).text)).toMatchObject({ cache: 'hit', costNanoUsd: 0, savedNanoUsd: COST });
  });

  it('is there only if it is asked for, with 1', async () => {
    expect(trailerOf((await read(await begin({}, { 'x-tidegate-trailer': '0' }))).text)).toBeUndefined();
    const refused = await read(await begin({}, { 'x-tidegate-trailer': 'yes' }));
    expect(refused.status).toBe(400);
    expect(errorOf(refused).param).toBe('x-tidegate-trailer');
  });
});
