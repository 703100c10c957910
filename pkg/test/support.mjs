// What the package's tests share: a gate whose provider is a function.

import { randomUUID } from 'node:crypto';

import { Tidegate } from 'tidegate';

export const PASSPHRASE = 'correct horse battery staple';
export const KEY = `gsk_${'A1b2'.repeat(13)}`;
export const OTHER_KEY = `gsk_${'C3d4'.repeat(13)}`;

export const ask = (content, more = {}) => ({ messages: [{ role: 'user', content }], max_tokens: 64, ...more });

/** An answer of the provider that is asked. */
export const answer = (content = 'Hello.') =>
  Response.json({
    id: 'one',
    object: 'chat.completion',
    created: 1,
    model: 'openai/gpt-oss-20b',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 },
  });

/**
 * A gate of a name of its own with one target, closed after the test. `sent` lists the Authorization headers that the
 * provider saw.
 */
export async function open(t, config = {}, provider = () => answer()) {
  const sent = [];
  const fetch = async (url, init) => {
    const signal = init?.signal ?? url.signal;
    const headers = new Headers(init?.headers ?? url.headers);
    sent.push(headers.get('authorization'));
    return provider({ signal, number: sent.length });
  };
  const gate = await Tidegate.open(
    {
      name: randomUUID(),
      targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }],
      retry: { baseMs: 1 },
      ...config,
    },
    { fetch },
  );
  t.after(() => gate.close());
  return { gate, sent };
}

/** The same with a session key. */
export async function keyed(t, config, provider) {
  const opened = await open(t, config, provider);
  await opened.gate.vault.putForSession('groq', KEY);
  return opened;
}
