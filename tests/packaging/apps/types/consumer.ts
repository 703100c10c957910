import { monitor, type PageFinding } from 'tidegate/monitor';
import { init, isTidegateError, Tidegate, TidegateError } from 'tidegate';
import type { ChatAnswer, ChatRequest, Events, Status, StoredKey, TidegateConfig } from 'tidegate';

const config: TidegateConfig = { budget: { limitUsd: '0.25', timeZone: 'Europe/Paris' }, cache: { persist: true } };
export const relayed: TidegateConfig = {
  targets: [{ provider: 'openai', model: 'gpt-4.1-mini', relay: 'own' }],
  providers: { own: { baseUrl: 'https://gate.example/v1' } },
  keys: 'passthrough',
};
const request: ChatRequest = { messages: [{ role: 'user', content: 'Hello' }], max_tokens: 16, seed: 7 };

export async function use(signal: AbortSignal): Promise<string | null> {
  await init();
  const gate: Tidegate = await Tidegate.open(config);
  const off: () => void = gate.on('attempt-end', (event: Events['attempt-end']) => console.log(event.durationMs));
  gate.on('key-in-request', ({ provider }) => console.log(provider));
  const keys: StoredKey[] = await gate.vault.list();
  const status: Status = await gate.status();
  try {
    const answer: ChatAnswer = await gate.chat(request, { signal, cache: { ttlMs: 1 }, tenant: `${keys.length}` });
    return answer.choices[0]?.message.content ?? null;
  } catch (error) {
    if (isTidegateError(error)) return `${error.code} ${error.budget?.resetsAt} ${status.budget.limitNanoUsd}`;
    throw error instanceof TidegateError ? error.cause : error;
  } finally {
    off();
    await gate.close();
  }
}

// @ts-expect-error an unknown field is refused
export const wrong: TidegateConfig = { budgets: {} };
// @ts-expect-error there is no such event
export const event: keyof Events = 'attempt-began';

export const stop = () => monitor({ onFinding: (found: PageFinding) => console.log(found.where, found.rule) }).stop();
