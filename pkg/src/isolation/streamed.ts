// One request on the app's side whose answer may be a stream: its messages, its abort, its account.

import { streaming } from '../chunks.js';
import { internal, type TidegateError } from '../errors.js';
import type { ChatMeta, ChatStreaming } from '../types.js';
import { Receiver } from './flow.js';
import type { Line } from './line.js';
import type { Answering, ToGate } from './protocol.js';

/** The bytes of a stream with its head, or a whole answer. */
export type Answer = [bytes: ReadableStream<Uint8Array>, head: Answering | null] | [bytes: undefined, whole: unknown];

/** A chat's answer as a stream. */
export async function remoteStream(
  line: Line,
  signal: AbortSignal | undefined,
  message: (id: number) => ToGate,
): Promise<ChatStreaming> {
  const streamed = new Streamed(line, signal, message);
  const [bytes] = await streamed.answer;
  if (!bytes) throw internal('The gateway gave no stream.');
  return streaming(bytes, streamed.result, signal);
}

export class Streamed {
  /** Rejects with what failed before there was an answer. */
  readonly answer: Promise<Answer>;
  /** The account of a stream; never settles for a whole answer, which brings its own. */
  readonly result: Promise<ChatMeta>;

  /** Sends what `message` gives. The signal aborts it there, and fails the stream here with its reason. */
  constructor(line: Line, signal: AbortSignal | undefined, message: (id: number) => ToGate) {
    let account!: (account: ChatMeta) => void;
    let unaccounted!: (error: TidegateError) => void;
    this.result = new Promise((resolve, reject) => ([account, unaccounted] = [resolve, reject]));
    // Who never asks for it is not told of its failure.
    this.result.catch(() => undefined);
    this.answer = new Promise((resolve, reject) => {
      let receiver: Receiver | undefined;
      let call = 0;
      const abort = () => {
        line.send(['abort', call]);
        receiver?.fail(signal?.reason);
      };
      const settled = () => signal?.removeEventListener('abort', abort);
      line.begin(
        {
          done: (value) => {
            settled();
            resolve([undefined, value]);
          },
          fail: (error) => {
            settled();
            reject(error);
          },
          begin: (head) => {
            receiver = new Receiver(
              (bytes) => line.send(['credit', call, bytes]),
              () => line.send(['abort', call]),
              settled,
            );
            if (signal?.aborted) receiver.fail(signal.reason);
            resolve([receiver.readable, head]);
          },
          data: (bytes) => receiver?.push(bytes),
          end: (error) => (error ? receiver?.fail(error) : receiver?.end()),
          account: (meta, error) => {
            if (meta) account(meta);
            else if (error) unaccounted(error);
          },
        },
        (id) => {
          call = id;
          line.send(message(id));
          signal?.addEventListener('abort', abort, { once: true });
        },
      );
    });
  }
}
