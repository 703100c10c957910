// Callers without an SDK: what they send in each dialect, and how they read the bytes that come back. Of the gateway's
// own code nothing is used, and of a stream every byte has to make sense.

import assert from 'node:assert/strict';

import { PROVIDERS } from '../transports/gates.mjs';

/**
 * What a caller read. Of a stream `finished` says that its last event was the dialect's good end, and `failed` is the
 * error in it; `frames` counts its events.
 * @typedef {{ text: string, finished: boolean, failed?: object, frames?: number }} Read
 */

const json = (body) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const MAX_TOKENS = 99;
const [OPENAI, ANTHROPIC, GOOGLE] = ['openai', 'anthropic', 'google'].map((name) => PROVIDERS[name].join(''));

/** Address and options for `fetch`. */
export const ASKING = {
  chat: (content, stream) => [
    `${OPENAI}/chat/completions`,
    json({ model: 'auto', stream, max_completion_tokens: MAX_TOKENS, messages: [{ role: 'user', content }] }),
  ],
  responses: (input, stream) => [
    `${OPENAI}/responses`,
    json({ model: 'auto', stream, store: false, max_output_tokens: MAX_TOKENS, input }),
  ],
  anthropic: (content, stream) => [
    `${ANTHROPIC}/messages`,
    json({ model: 'auto', stream, max_tokens: MAX_TOKENS, messages: [{ role: 'user', content }] }),
  ],
  google: (text, stream) => [
    `${GOOGLE}/models/auto:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    json({ generationConfig: { maxOutputTokens: MAX_TOKENS }, contents: [{ role: 'user', parts: [{ text }] }] }),
  ],
};

const partsText = (candidate) => (candidate?.content?.parts ?? []).map(({ text }) => text ?? '').join('');

/** A whole answer: its text, and why it ended. */
const WHOLE = {
  chat: ({ choices: [choice] }) => [choice.message.content, choice.finish_reason === 'stop'],
  responses: ({ output, status }) => [output[0].content[0].text, status === 'completed'],
  anthropic: ({ content, stop_reason: stop }) => [content[0].text, stop === 'end_turn'],
  google: ({ candidates: [candidate] }) => [partsText(candidate), candidate.finishReason === 'STOP'],
};

/** Where each dialect has the gateway's code in an error, in place of an answer or in a stream. */
export const CODES = {
  chat: ({ error }) => error.code,
  // In a stream the event itself is the error.
  responses: (body) => (body.error ?? body).code,
  anthropic: ({ type, error }) => (assert.equal(type, 'error'), error.code),
  google: ({ error }) => error.details[0].reason.toLowerCase(),
};

/** One event of a stream: its text, whether it is the good end, and whether it is an error. */
const EVENTS = {
  chat: (name, data) => ({ text: data.choices?.[0]?.delta?.content, failed: data.error !== undefined }),
  responses: (name, data) => {
    assert.equal(data.type, name);
    return {
      text: name === 'response.output_text.delta' ? data.delta : '',
      finished: name === 'response.completed',
      failed: name === 'error' || name === 'response.failed',
    };
  },
  anthropic: (name, data) => {
    assert.equal(data.type, name);
    return { text: data.delta?.text, finished: name === 'message_stop', failed: name === 'error' };
  },
  google: (name, data) => {
    const [candidate] = data.candidates ?? [];
    return {
      text: partsText(candidate),
      finished: candidate?.finishReason !== undefined,
      failed: data.error !== undefined,
    };
  },
};

/** @returns {Read} */
export function readWhole(dialect, body) {
  const [text, finished] = WHOLE[dialect](JSON.parse(body));
  return { text, finished };
}

/**
 * Reads a stream to its last byte. It throws for what no client may be given: half an event, one that is no JSON,
 * anything behind an error or behind the end.
 * @returns {Read}
 */
export function readStream(dialect, body) {
  const read = { text: '', finished: false, failed: undefined, frames: 0 };
  const blocks = body.split('\n\n');
  assert.equal(blocks.pop(), '', 'the last event is whole');
  for (const block of blocks) {
    const lines = block.split('\n').filter((line) => !line.startsWith(':'));
    if (lines.length === 0) continue;
    const field = (name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    assert.ok(!read.failed && !read.finished, `behind the end: ${block.slice(0, 200)}`);
    read.frames += 1;
    const data = field('data');
    if (dialect === 'chat' && data === '[DONE]') {
      read.finished = true;
      continue;
    }
    const event = EVENTS[dialect](field('event'), JSON.parse(data));
    read.text += event.text ?? '';
    read.finished = event.finished === true;
    if (event.failed) read.failed = JSON.parse(data);
  }
  return read;
}
