// The stream of `gate.chat({ stream: true })`: server-sent events in bytes as chunks of an answer.

import { TidegateError, toError } from './errors.js';
import type { ChatChunk, ChatMeta, ChatStreaming } from './types.js';

const ABORTED = { code: 'aborted', message: 'The request was aborted.', status: 499, shouldRetry: false, attempts: [] };

/** Reads `bytes` at the first of its two uses: the chunks, or the stream itself. */
export function streaming(
  bytes: ReadableStream<Uint8Array>,
  result: Promise<ChatMeta>,
  signal: AbortSignal | undefined,
): ChatStreaming {
  // Who leaves the chunks early is not told of what failed later.
  result.catch(() => undefined);
  return {
    readable: bytes,
    result,
    [Symbol.asyncIterator]: () => chunks(bytes, result, signal),
  };
}

async function* chunks(
  bytes: ReadableStream<Uint8Array>,
  result: Promise<ChatMeta>,
  signal: AbortSignal | undefined,
): AsyncGenerator<ChatChunk, void> {
  const reader = bytes.getReader();
  const lines = new Lines();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      for (const data of lines.push(value)) {
        if (data === '[DONE]') continue;
        const chunk = JSON.parse(data) as ChatChunk | { error: unknown };
        // An error in band is thrown below, from the account of it.
        if (!('error' in chunk)) yield chunk;
      }
      if (done) break;
    }
    const { error } = await result;
    if (error) throw new TidegateError(error);
  } catch (thrown) {
    throw signal?.aborted ? new TidegateError(ABORTED) : toError(thrown);
  } finally {
    // After its end this does nothing; before it, the consumer has left.
    await reader.cancel().catch(() => undefined);
  }
}

/** The `data:` of each event. The gateway writes one line of data to an event, and lets comments through. */
class Lines {
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** Nothing for `chunk`: the end, which also ends a last line. */
  push(chunk: Uint8Array | undefined): string[] {
    const text = this.#rest + this.#decoder.decode(chunk, { stream: chunk !== undefined });
    // Nearly no provider ends lines with a carriage return, and the plain split is the quicker one.
    const lines = text.includes('\r') ? text.split(/\r\n|\n|\r/) : text.split('\n');
    this.#rest = chunk === undefined ? '' : (lines.pop() ?? '');
    return lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trim());
  }
}
