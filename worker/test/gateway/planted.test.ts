import { env } from 'cloudflare:workers';
import { beforeEach, expect, it, vi } from 'vitest';

import { told } from '../../src/figures/counted';
import { calm, call, script, type Init } from '../client';
import { calling } from '../started';

/** A key in the shape of a real one, as somebody pastes it into the wrong place; in two parts, so that no scanner takes it for one. */
const PLANTED = ['gsk_', 'k3JQ9vT2mXw8ZrB5nLc7YdH1pFs6GaE4uKqW0tVoRiNjMbCxPzDy'].join('');
/** Enough of it to be no accident. */
const PART = PLANTED.slice(4, 24);

beforeEach(async () => {
  await told('default');
  await calm();
});

const post = (body: unknown, headers: Record<string, string> = {}): Init => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const hi = (content: unknown) => [{ role: 'user', content }];
const asked = (fields: Record<string, unknown>) =>
  post({ model: 'auto', messages: hi('Hi'), max_tokens: 9, ...fields });

/** A key in each place that a request has. */
const PLACES: Record<string, [path: string, init?: Init]> = {
  'a path': [`/v1/${PLANTED}`],
  'the name of a model in a path': [`/v1beta/models/${PLANTED}:generateContent`, post({ contents: [] })],
  'a query': [`/v1/models?q=${PLANTED}`],
  'an id': [`/api/ai/queue?action=status&requestId=${PLANTED}`],
  'an action': [`/api/ai/queue?action=${PLANTED}`],
  'an organisation': [`/metrics?organisation=${PLANTED}`],
  'a token in a header': ['/v1/models', { headers: { authorization: `Bearer ${PLANTED}` } }],
  'a token in the address': [`/v1/models?key=${PLANTED}`, { headers: { authorization: '' } }],
  'a header of ours': ['/v1/chat/completions', { ...asked({}), headers: { 'x-tidegate-cache-ttl-ms': PLANTED } }],
  'a namespace': ['/v1/chat/completions', { ...asked({}), headers: { 'x-tidegate-namespace': PLANTED } }],
  'a request id': ['/v1/chat/completions', { ...asked({}), headers: { 'x-request-id': PLANTED } }],
  'a trace': ['/v1/chat/completions', { ...asked({}), headers: { traceparent: PLANTED } }],
  'an origin': ['/v1/chat/completions', { ...asked({}), headers: { origin: `https://${PLANTED}.example` } }],
  'a message': ['/v1/chat/completions', asked({ messages: hi(`My key is ${PLANTED}`) })],
  'a message of the wrong form': ['/v1/chat/completions', asked({ messages: hi([{ type: PLANTED }]) })],
  'a role': ['/v1/chat/completions', asked({ messages: [{ role: PLANTED, content: 'Hi' }] })],
  'a model': ['/v1/chat/completions', asked({ model: PLANTED })],
  'a field': ['/v1/chat/completions', asked({ [PLANTED]: 1 })],
  'a tool': ['/v1/chat/completions', asked({ tools: [{ type: 'function', function: { name: PLANTED } }] })],
  'a choice of tool': ['/v1/chat/completions', asked({ tool_choice: PLANTED })],
  'a user': ['/v1/chat/completions', asked({ user: PLANTED })],
  'a text that is no JSON': ['/v1/chat/completions', post(`{"messages": ${PLANTED}`)],
  'a message of Anthropic': ['/v1/messages', post({ model: PLANTED, max_tokens: 9, messages: hi(PLANTED) })],
  'an input of Responses': ['/v1/responses', post({ model: 'auto', input: PLANTED, previous_response_id: PLANTED })],
  'an embedding': ['/v1/embeddings', post({ model: PLANTED, input: PLANTED })],
  'a queued message': ['/api/ai/queue', post({ messages: hi(PLANTED), priority: PLANTED, idempotencyKey: PLANTED })],
  'a queued provider': ['/api/ai/queue', post({ messages: hi('Hi'), provider: PLANTED })],
  'a method': [`/v1/chat/completions`, { method: 'PUT', body: PLANTED }],
};

it('a key in any input is in no error, header, metric, status or line of the log', async () => {
  const lines: string[] = [];
  for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, level).mockImplementation((...values: unknown[]) => void lines.push(JSON.stringify(values)));
  const send = calling({ TIDEGATE_LOG: 'all' });
  const statuses = new Set<number>();
  for (const echoes of [false, true]) {
    // A provider that repeats what it was sent, and the key that it was sent with.
    await script(
      'groq',
      echoes ? { status: 400, body: `{"error":{"message":"bad ${PLANTED}","code":"${PLANTED}"}}` } : {},
    );
    for (const [place, [path, init]] of Object.entries(PLACES)) {
      const headers = { authorization: `Bearer ${env.TIDEGATE_TOKEN}`, ...init?.headers };
      const answer = await send(path, { ...init, headers });
      statuses.add(answer.status);
      // An id of the caller's own goes back to the caller as it came, and so does a key in an answer; nowhere else.
      answer.headers.delete('x-request-id');
      const text = answer.status === 200 ? '' : answer.text;
      expect(`${text} ${JSON.stringify([...answer.headers])}`, place).not.toContain(PART);
    }
  }
  for (const status of [200, 400, 401, 404]) expect([...statuses], 'the places reach far').toContain(status);
  await told('default');
  for (const path of ['/metrics', '/api/ai/status', '/api/ai/usage', '/api/ai/export', '/api/ai/queue?action=stats']) {
    const answer = await call(path);
    expect(answer.status, path).toBe(200);
    expect(answer.text, path).not.toContain(PART);
  }
  expect(lines.length, 'something was logged').toBeGreaterThan(Object.keys(PLACES).length);
  expect(lines.join('\n')).not.toContain(PART);
});
