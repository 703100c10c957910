// A process that asks all at once: it reads `{ url, callers: [{ token, count }] }` from its input, and writes a line for
// each answer as it comes.

import { Agent, request } from 'node:http';

let text = '';
for await (const piece of process.stdin) text += piece;
const { url, callers } = JSON.parse(text);
// As many connections as requests: none waits for another here.
const agent = new Agent({ maxSockets: Infinity });

function ask(caller, token, index) {
  const body = { model: 'auto', max_tokens: 1_000, messages: [{ role: 'user', content: `${caller} asks ${index}` }] };
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const tell = (line) => process.stdout.write(`${JSON.stringify({ caller, index, ...line })}\n`);
  const sent = request(`${url}/v1/chat/completions`, { method: 'POST', headers, agent }, async (response) => {
    let answer = '';
    for await (const piece of response) answer += piece;
    const { error, choices } = JSON.parse(answer);
    const { 'retry-after': retryAfter, 'x-ratelimit-limit': limit } = response.headers;
    tell({ status: response.statusCode, code: error?.code, heard: choices?.[0].message.content, retryAfter, limit });
  });
  sent.on('error', (failure) => tell({ status: 0, code: failure.code }));
  sent.end(JSON.stringify(body));
}

for (let index = 0; index < Math.max(...callers.map(({ count }) => count)); index += 1) {
  for (const [caller, { token, count }] of callers.entries()) if (index < count) ask(caller, token, index);
}
