// Stand-in providers on one local port, in Node: each test file scripts how they behave and reads what they got. Beside
// them the one in four dialects, that the clients' tests have too.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';

// @ts-expect-error it has no types
import { startStandIn } from '../../tests/clients/stand-in.mjs';
import type { Call, Script } from './script';

const scripts: Record<string, Script> = {};
let journal: Call[] = [];
let held: (() => void)[] = [];

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

interface Asked {
  model: string;
  messages: { content: string }[];
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
  input?: string | string[];
}

const usageOf = (tokens: number) => ({ prompt_tokens: 10, completion_tokens: tokens, total_tokens: 10 + tokens });

function completion(provider: string, { model, messages }: Asked, outputTokens: number): string {
  const content = `${provider} heard: ${messages.at(-1)?.content}`;
  return JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: usageOf(outputTokens),
  });
}

function vectors({ model, input = [] }: Asked): string {
  const data = [input].flat().map((_, index) => ({ object: 'embedding', index, embedding: [0.25, -0.5, index] }));
  return JSON.stringify({ object: 'list', data, model, usage: { prompt_tokens: 4, total_tokens: 4 } });
}

async function stream(response: ServerResponse, provider: string, asked: Asked, script: Script, call: Call) {
  const gone = new AbortController();
  response.on('close', () => {
    call.gone = !response.writableFinished;
    gone.abort();
  });
  const write = async (data: unknown) => {
    const text = `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
    // Only what the other end takes, as a provider's server does it.
    if (!response.write(text)) await once(response, 'drain', { signal: gone.signal });
    call.sent += text.length;
  };
  const chunk = (choices: unknown[], more = {}) =>
    write({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: asked.model, choices, ...more });
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const heard = [`${provider} heard: `, asked.messages.at(-1)?.content ?? ''];
  const pieces = Array.from({ length: script.pieces ?? heard.length }, (_, index) =>
    script.pieceBytes ? 'x'.repeat(script.pieceBytes) : (heard[index] ?? ` ${index}`),
  );
  await chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]);
  for (const [index, content] of pieces.entries()) {
    if (index === script.after) {
      if (script.then === 'hold') await new Promise<void>((resolve) => held.push(resolve));
      if (script.then === 'cut') return void setImmediate(() => response.destroy());
      if (script.then === 'error') {
        await write({ error: { message: 'secret detail', type: 'server_error', code: null } });
        return void response.end();
      }
    }
    await chunk([{ index: 0, delta: { content }, finish_reason: null }]);
  }
  await chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]);
  if (asked.stream_options?.include_usage) await chunk([], { usage: usageOf(script.outputTokens ?? 5) });
  await write('[DONE]');
  response.end();
}

const server = createServer(async (request, response) => {
  const [, first = ''] = (request.url ?? '').split('/');
  const body = await read(request).catch(() => '');
  if (first === 'script') {
    const { provider, ...script } = JSON.parse(body) as Script & { provider: string };
    scripts[provider] = script;
    for (const release of held) release();
    held = [];
    response.end('{}');
  } else if (first === 'journal') {
    response.end(JSON.stringify(journal));
    if (request.method === 'DELETE') journal = [];
  } else {
    const script = scripts[first] ?? {};
    const { authorization } = request.headers;
    const path = request.url ?? '';
    const call: Call = {
      ...{ provider: first, path, authorization, trace: request.headers.traceparent as string | undefined },
      ...{ headers: Object.keys(request.headers), body },
      ...{ sent: 0, gone: false },
    };
    journal.push(call);
    if (script.hold) await new Promise<void>((resolve) => held.push(resolve));
    if (script.delayMs) await new Promise((resolve) => setTimeout(resolve, script.delayMs));
    if (script.status || script.body !== undefined) {
      response.writeHead(script.status ?? 200, { 'content-type': 'application/json', ...script.headers });
      return void response.end(script.body ?? '{}');
    }
    const asked = JSON.parse(body) as Asked;
    // Who went away is not waited for.
    if (asked.stream) return void stream(response, first, asked, script, call).catch(() => response.destroy());
    response.writeHead(200, { 'content-type': 'application/json', ...script.headers });
    response.end(path.endsWith('/embeddings') ? vectors(asked) : completion(first, asked, script.outputTokens ?? 5));
  }
});

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const dialects = (await startStandIn()) as { url: string; stop(): Promise<void> };
  project.provide('standIn' as never, `http://127.0.0.1:${(server.address() as AddressInfo).port}` as never);
  project.provide('dialects' as never, dialects.url as never);
  return async () => {
    await dialects.stop();
    await new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  };
}
