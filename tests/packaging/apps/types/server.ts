// What a server or a Worker writes: no DOM in its types.
import { isTidegateError, scan, Tidegate } from 'tidegate';
import type { Gate, QueueStats, StoredKey, Vault } from 'tidegate';

export async function answer(key: string, texts: string[]): Promise<Response> {
  const gate: Gate = await Tidegate.open({ ledger: 'memory' });
  const { warnings } = await gate.vault.putForSession('groq', key);
  if ((await scan(texts.join())).length > 0) return Response.json(warnings, { status: 422 });
  try {
    const stream = await gate.chat({ messages: texts.map((content) => ({ role: 'user', content })), stream: true });
    return new Response(stream.readable, { headers: { 'content-type': 'text/event-stream' } });
  } catch (error) {
    return gate.fetch(new Request('https://api.groq.com/'), { method: isTidegateError(error) ? 'GET' : 'POST' });
  }
}

/** An SDK takes it where it takes a fetch of the place. */
export const asFetch = (gate: Gate): typeof fetch => gate.fetch;
export const keys = (vault: Vault): Promise<StoredKey[]> => vault.list();
export const waiting = ({ queued }: QueueStats): number => queued;
