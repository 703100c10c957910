// Stand-in providers on one local port, in Node: each test file scripts how they behave and reads what they got.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';

import type { Call, Script } from './script';

const scripts: Record<string, Script> = {};
let journal: Call[] = [];
let held: (() => void)[] = [];

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function completion(provider: string, body: string, outputTokens: number): string {
  const { model, messages } = JSON.parse(body) as { model: string; messages: { content: string }[] };
  const content = `${provider} heard: ${messages.at(-1)?.content}`;
  return JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: outputTokens, total_tokens: 10 + outputTokens },
  });
}

const server = createServer(async (request, response) => {
  const [, first = ''] = (request.url ?? '').split('/');
  const body = await read(request);
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
    journal.push({ provider: first, authorization, headers: Object.keys(request.headers), body });
    if (script.hold) await new Promise<void>((resolve) => held.push(resolve));
    if (script.delayMs) await new Promise((resolve) => setTimeout(resolve, script.delayMs));
    response.writeHead(script.status ?? 200, { 'content-type': 'application/json', ...script.headers });
    response.end(script.body ?? completion(first, body, script.outputTokens ?? 5));
  }
});

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  project.provide('standIn' as never, `http://127.0.0.1:${(server.address() as AddressInfo).port}` as never);
  return () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
}
