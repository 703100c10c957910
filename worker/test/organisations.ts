import { call, type Answer } from './client';

/** Calls a route of the Worker's own, as the operator unless other headers say so. */
export const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  call(path, { method, headers, ...(body !== undefined && method !== 'GET' && { body: JSON.stringify(body) }) });

/** Sets an organisation up. */
export const organised = (organisation: string, tiers: string[]): Promise<Answer> =>
  send('PUT', `/api/admin/organisations/${organisation}`, { tiers });

/** A new API token of the organisation. */
export async function made(organisation: string, wish: Record<string, unknown> = {}) {
  const answer = await send('POST', `/api/admin/tokens?organisation=${organisation}`, wish);
  if (answer.status !== 201) throw new Error(answer.text);
  return JSON.parse(answer.text) as { token: string; id: string };
}
