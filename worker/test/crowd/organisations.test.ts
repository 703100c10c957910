import { beforeEach, expect, it } from 'vitest';

import { forget } from '../../src/organisation/standing';
import { ask, calm, call, contentOf, errorOf, journal, script, until } from '../client';
import { made, organised } from '../organisations';

const ORGANISATIONS = 20;
const EACH = 55;
/** Half a dollar, one cent for each request. */
const ADMITTED = 50;

beforeEach(calm);

it(
  'admits of 1,100 requests of 20 organisations at once exactly what each may spend',
  { timeout: 300_000 },
  async () => {
    const names = Array.from({ length: ORGANISATIONS }, (_, index) => `company-${index}`);
    const tokens = await Promise.all(
      names.map(async (name) => {
        await forget(name);
        await organised(name, ['enterprise']);
        return (await made(name, { scopes: ['chat', 'admin'] })).token;
      }),
    );
    // Answers are held until all is decided: nothing is settled before the last admission.
    await script('groq', { hold: true, outputTokens: 1_000 });
    let refused = 0;
    const asked = Array.from({ length: ORGANISATIONS * EACH }, async (_, index) => {
      const owner = index % ORGANISATIONS;
      const authorization = `Bearer ${tokens[owner]}`;
      const content = `secret of ${names[owner]}, ${index}`;
      const answer = await ask({ messages: [{ role: 'user', content }] }, { authorization });
      if (answer.status !== 200) refused += 1;
      return { owner, content, answer };
    });
    await until(() => refused >= ORGANISATIONS * (EACH - ADMITTED));
    await script('groq', { outputTokens: 1_000 });
    const all = await Promise.all(asked);

    for (const [owner, name] of names.entries()) {
      const own = all.filter((one) => one.owner === owner);
      const good = own.filter(({ answer }) => answer.status === 200);
      expect(good).toHaveLength(ADMITTED);
      // Each answer is the one to its own question.
      for (const { answer, content } of good) expect(contentOf(answer)).toBe(`groq heard: ${content}`);
      const rest = own.filter(({ answer }) => answer.status !== 200);
      expect(new Set(rest.map(({ answer }) => errorOf(answer).code))).toEqual(new Set(['budget_exceeded']));
      const headers = { authorization: `Bearer ${tokens[owner]}` };
      const status = await call('/api/ai/status', { headers });
      expect(JSON.parse(status.text), name).toMatchObject({
        budget: { spentNanoUsd: 500_000_000, reservedNanoUsd: 0, overshootNanoUsd: 0 },
      });
    }
    expect(await journal()).toHaveLength(ORGANISATIONS * ADMITTED);
  },
);
