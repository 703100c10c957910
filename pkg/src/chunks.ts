// The stream of `gate.chat({ stream: true })`: server-sent events in bytes as chunks of an answer.

import { ABORTED, invalid, TidegateError, toError } from './errors.js';
import type { ChatChunk, ChatMeta, ChatStreaming } from './types.js';

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
    [Symbol.asyncIterator]: () => iterated(bytes, result, signal),
  };
}

/**
 * The chunks, whose reading ends as soon as the consumer leaves: a generator alone would have whoever leaves while a chunk
 * is awaited wait for it, and would end nothing for one who leaves before the first.
 */
function iterated(
  bytes: ReadableStream<Uint8Array>,
  result: Promise<ChatMeta>,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<ChatChunk, void> {
  if (bytes.locked) throw invalid('stream', 'is being read already, or was: it can be read once');
  const reader = bytes.getReader();
  const consumer = { left: false };
  const generator = chunks(reader, result, signal, consumer);
  const leave = async () => {
    consumer.left = true;
    await reader.cancel().catch(() => undefined);
    return generator.return();
  };
  return {
    next: () => generator.next(),
    return: leave,
    async throw(reason) {
      await leave();
      throw reason;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* chunks(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  result: Promise<ChatMeta>,
  signal: AbortSignal | undefined,
  consumer: { left: boolean },
): AsyncGenerator<ChatChunk, void> {
  const lines = new Lines();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (consumer.left) return;
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
    // After its end this does nothing.
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
