// How the stand-ins stream: event by event, in the form of the provider that each stands for, and with the faults
// that only a stream can have.

import { setTimeout as sleep } from 'node:timers/promises';

import { refusedStream } from './stand-in-faults.mjs';

const FLUSH_MS = 50;

/** The gateway's commit point is the first of these. */
const isOutput = ({ choices = [] }) =>
  choices.some(({ delta }) => Boolean(delta?.content || delta?.reasoning || delta?.tool_calls?.length));

/** The `data:` of each event, as it comes. */
async function* eventsOf(body) {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    const events = (rest + decoder.decode(bytes, { stream: true })).split('\n\n');
    rest = events.pop();
    for (const event of events) if (event.startsWith('data: ')) yield event.slice(6);
  }
}

/** Both providers call it `reasoning`; aimock uses DeepSeek's name. */
export const renameReasoning = (part) => {
  if (typeof part?.reasoning_content !== 'string') return;
  part.reasoning = part.reasoning_content;
  delete part.reasoning_content;
};

/**
 * Passes an answer of aimock on. Resolves when it has ended as the fault has it; rejects when the caller has gone.
 * @param {() => Promise<Response>} ask asks aimock, which begins to stream at once
 * @param {import('node:http').ServerResponse} response its head is written already
 * @param {{ provider: string, fault: import('./stand-in-faults.mjs').Fault, usage: object, signal: AbortSignal }} how
 */
export async function relay(ask, response, { provider, fault, usage, signal }) {
  const write = (text) => {
    if (!response.write(text)) return new Promise((resolve) => response.once('drain', resolve));
  };
  if (fault.kind === 'slow-start') {
    // What keeps the connection alive is no output: it must not commit the gateway.
    await write(': processing\n\n');
    await sleep(fault.delayMs, undefined, { signal });
  }
  let outputs = 0;
  for await (const data of eventsOf((await ask()).body)) {
    if (data === '[DONE]') {
      await write('data: [DONE]\n\n');
      continue;
    }
    const chunk = JSON.parse(data);
    for (const { delta } of chunk.choices) renameReasoning(delta);
    const output = isOutput(chunk);
    if (output && outputs >= fault.afterOutputs) {
      if (fault.kind === 'cut') {
        // What was written is to arrive: a connection that is destroyed drops it.
        await sleep(FLUSH_MS, undefined, { signal });
        return void response.destroy();
      }
      if (fault.kind === 'stall') await sleep(2 ** 31 - 1, undefined, { signal });
      if (fault.kind === 'error-event') return void response.end(refusedStream(provider, chunk));
    }
    if (output) outputs += 1;
    // aimock leaves out the details of tokens for the one, and makes up some for the other.
    if (chunk.usage) chunk.usage = usage;
    await write(`data: ${JSON.stringify(chunk)}\n\n`);
  }
  response.end();
}
