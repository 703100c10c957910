import { monitor, type PageFinding } from 'tidegate/monitor';
import { init, isTidegateError, Tidegate, TidegateError } from 'tidegate';
import type {
  ChatAnswer,
  ChatMessage,
  ChatRequest,
  ChatStreaming,
  ChatStreamRequest,
  Events,
  Gate,
  Status,
  StoredKey,
  TidegateConfig,
} from 'tidegate';

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

/** A conversation with a tool: what the model said goes back as it came. */
export async function converse(gate: Gate): Promise<string> {
  const messages: ChatMessage[] = [{ role: 'user', content: 'Hello' }];
  const tools = [{ type: 'function', function: { name: 'now', parameters: { type: 'object' } } }];
  const said = (await gate.chat({ messages, tools })).choices[0]?.message;
  if (!said) return '';
  messages.push(said);
  for (const call of said.tool_calls ?? []) {
    messages.push({ role: 'tool', tool_call_id: call.id, content: call.function.name });
  }
  const request: ChatStreamRequest = { messages, stream: true };
  let text = said.reasoning ?? '';
  for await (const chunk of await gate.chat(request)) {
    const delta = chunk.choices[0]?.delta;
    text += delta?.content ?? delta?.tool_calls?.[0]?.function?.arguments ?? '';
  }
  return text;
}

// @ts-expect-error an answer in chunks is a `ChatStreamRequest`: the type of `gate.chat` follows from it
export const streamed: ChatRequest = { messages: [], stream: true };

export const either = (gate: Gate, stream: boolean): Promise<ChatAnswer | ChatStreaming> =>
  gate.chat({ messages: [{ role: 'user', content: 'Hello' }], stream });

/** What may be absent may be said to be so, also where `exactOptionalPropertyTypes` is on. */
export function absent(gate: Gate, signal?: AbortSignal, limitUsd?: number, stream?: boolean, tenant?: string) {
  const config: TidegateConfig = { budget: { limitUsd }, queue: undefined, isolation: undefined };
  const temperature = limitUsd;
  const options = { signal, tenant, cache: { ttlMs: limitUsd } };
  return [config, gate.chat({ messages: [], stream, temperature }, options), gate.fetch.with({ tenant })];
}
