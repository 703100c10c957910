// Of several answers that Gemini was asked for, each must come to its end before the stream does.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { Tidegate } from 'tidegate';

const event = (response) => `data: ${JSON.stringify({ responseId: 'a', modelVersion: 'm', ...response })}\n\n`;
const candidate = (index) =>
  event({ candidates: [{ index, content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }] });

const URLS = {
  google: 'https://generativelanguage.googleapis.com/v1beta/models/auto:streamGenerateContent?alt=sse',
  chat: 'https://api.openai.com/v1/chat/completions',
};
const BODIES = {
  google: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }], generationConfig: { candidateCount: 2 } },
  chat: { model: 'auto', messages: [{ role: 'user', content: 'Hi' }], n: 2, stream: true },
};

for (const caller of Object.keys(URLS)) {
  test(`a candidate that never came is missed, in ${caller}`, async (t) => {
    let stream;
    const gate = await Tidegate.open(
      {
        name: randomUUID(),
        dialects: 'all',
        ledger: 'memory',
        targets: [{ provider: 'google', model: 'gemini-2.5-flash' }],
        cache: { ttlMs: 0 },
      },
      { fetch: async () => new Response(stream, { headers: { 'content-type': 'text/event-stream' } }) },
    );
    t.after(() => gate.close());
    await gate.vault.putForSession('google', `AIza${'Ab3dE6gH'.repeat(5).slice(0, 35)}`);
    const refused = event({ promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 9 } });
    for (const [given, error] of [
      [candidate(0), 'stream_interrupted'],
      [candidate(0) + candidate(1), undefined],
      [refused, undefined],
    ]) {
      stream = given;
      const response = await gate.fetch(URLS[caller], { method: 'POST', body: JSON.stringify(BODIES[caller]) });
      const text = await response.text();
      const account = await gate.fetch.result(response).catch((thrown) => ({ error: thrown }));
      assert.equal(account.error?.code, error, text);
    }
  });
}
