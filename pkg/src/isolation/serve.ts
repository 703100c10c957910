// The gateway's side of the boundary: takes messages, asks the gate of this realm, sends back what it says.

import { dataOf, invalid, toError, type ErrorData } from '../errors.js';
import { flat } from '../flat.js';
import { QUEUE_CALLS } from '../queue/calls.js';
import type { Tidegate } from '../tidegate.js';
import type { ChatMeta, ChatOptions, Events } from '../types.js';
import { Sender } from './flow.js';
import {
  GATE_CALLS,
  VAULT_CALLS,
  type Answering,
  type Asking,
  type FromGate,
  type GateCall,
  type Opening,
  type Port,
  type ToGate,
} from './protocol.js';
import { readToGate } from './to-gate.js';

/** Names of events that one caller may listen to at once. */
const MOST_LISTENED = 64;

/** What keeps a caller of less trust within bounds. */
export interface Guard {
  /** Whether this method of the gate or the vault (`vault.list`) may be called from the other side. */
  allows(call: string): boolean;
  /** Takes a message into account; throws to refuse it. `bytes` are those that it carries. */
  admit(kind: 'request' | 'call', bytes: number): void;
}

interface Running {
  readonly aborting: AbortController;
  sender?: Sender;
}

/** Answers one caller for as long as the port is open. */
export function serve(port: Port, build: string, open: (opening: Opening) => Promise<Tidegate>, guard?: Guard): void {
  const send = (message: FromGate, transfer: Transferable[] = []) => port.postMessage(message, transfer);
  const server = new Server(send, open, guard);
  port.onmessage = ({ data }) => {
    const message = readToGate(data);
    if (message) server.take(message);
  };
  send(['ready', build]);
}

class Server {
  readonly #running = new Map<number, Running>();
  readonly #offs = new Map<string, () => void>();
  #gate: Promise<Tidegate> | undefined;

  constructor(
    readonly send: (message: FromGate, transfer?: Transferable[]) => void,
    readonly open: (opening: Opening) => Promise<Tidegate>,
    readonly guard: Guard | undefined,
  ) {}

  take(message: ToGate): void {
    const [kind, id] = message;
    switch (kind) {
      case 'ping':
        return this.send(['pong', message[1]]);
      case 'listen':
        return this.#listen(message[1] as keyof Events, message[2]);
      case 'credit':
        return this.#running.get(message[1])?.sender?.grant(message[2]);
      case 'abort': {
        const running = this.#running.get(message[1]);
        running?.aborting.abort();
        return running?.sender?.cancel();
      }
      default:
        // Two works of one id would be answered as one.
        if (!this.#running.has(id as number)) void this.#work(message, id as number);
    }
  }

  async #work(message: ToGate, id: number): Promise<void> {
    const running: Running = { aborting: new AbortController() };
    this.#running.set(id, running);
    try {
      this.guard?.admit(message[0] === 'chat' || message[0] === 'fetch' ? 'request' : 'call', sizeOf(message));
      await this.#answer(message, id, running);
    } catch (thrown) {
      this.#fail(id, thrown);
    } finally {
      this.#running.delete(id);
    }
  }

  async #answer(message: ToGate, id: number, running: Running): Promise<void> {
    if (message[0] === 'open') {
      // Whoever got hold of this port later must not open another gate with addresses of their own.
      if (this.#gate) throw invalid('open', 'has been sent already');
      this.#gate = this.open(message[2]);
      await this.#gate;
      return this.send(['done', id, null]);
    }
    if (!this.#gate) throw invalid('open', 'must be sent first');
    const gate = await this.#gate;
    const { signal } = running.aborting;
    if (message[0] === 'call') {
      const value = await this.#call(gate, message[2], message[3]);
      // Moved, not copied: a key that was revealed must not stay here as well.
      return this.send(['done', id, value], buffersOf(value));
    }
    if (message[0] === 'fetch') return this.#fetch(gate, id, message[2], running);
    if (message[0] !== 'chat') return;
    const options: ChatOptions = { ...message[3], signal };
    if (!message[4]) return this.send(['done', id, await gate.chatText(message[2], options)]);
    const [{ body }, result] = await gate.chatBytes(message[2], options);
    await this.#stream(id, null, body, result, running);
  }

  async #call(gate: Tidegate, name: string, args: unknown[]): Promise<unknown> {
    const inVault = VAULT_CALLS.find((method) => `vault.${method}` === name);
    const inQueue = QUEUE_CALLS.find((method) => `queue.${method}` === name);
    const call = inVault ? undefined : GATE_CALLS.find((method) => method === name);
    if ((!inVault && !inQueue && !call) || this.guard?.allows(name) === false)
      throw invalid(name, 'cannot be called from here');
    // The arguments are checked where the same methods check an app's.
    if (inVault) return (gate.vault[inVault] as (...args: unknown[]) => Promise<unknown>)(...args);
    if (inQueue) return (gate.queue[inQueue] as (...args: unknown[]) => Promise<unknown>)(...args);
    return this.#own(gate, call!, args as [string, string]);
  }

  #own(gate: Tidegate, call: GateCall, [first, second]: [string, string]): unknown {
    switch (call) {
      case 'status':
        return gate.status();
      case 'records':
        return gate.records();
      case 'replay':
        return gate.replay(String(first));
      case 'clearCache':
        return gate.cache.clear();
      case 'cached':
        return gate.cache.size();
      case 'routes':
        return gate.routes(String(first), String(second));
      case 'close':
        this.#offs.clear();
        return gate.close();
    }
  }

  async #fetch(gate: Tidegate, id: number, asking: Asking, running: Running): Promise<void> {
    const { method, url, headers, body, options, refusal } = asking;
    if (!(await gate.routes(method, url))) throw invalid('url', 'is not an address of this gate');
    const pairs = headers.flatMap((name, at) =>
      at % 2 === 0 ? [[name, headers[at + 1] ?? ''] as [string, string]] : [],
    );
    const { signal } = running.aborting;
    const bodiless = method === 'GET' || method === 'HEAD';
    const init = { method, headers: pairs, signal, ...(!bodiless && { body }) };
    const [response, result] = refusal
      ? await gate.refuse(method, url, refusal)
      : await gate.fetch
          .with(options)(url, init)
          .then((answer) => [answer, gate.fetch.result(answer)] as const);
    const head: Answering = { status: response.status, headers: flat(response.headers) };
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
      return this.#stream(id, head, response.body, result, running);
    }
    const bytes = await response.arrayBuffer();
    const account = await result.then(
      (account) => ({ account }),
      (thrown: unknown) => ({ error: dataOf(thrown) }),
    );
    this.send(['done', id, { ...head, ...account, body: bytes }], [bytes]);
  }

  async #stream(
    id: number,
    head: Answering | null,
    body: ReadableStream<Uint8Array> | null,
    result: Promise<ChatMeta>,
    running: Running,
  ): Promise<void> {
    // A failure is told below, once.
    result.catch(() => undefined);
    this.send(['begin', id, head]);
    let failure: ErrorData | null = null;
    if (body) {
      running.sender = new Sender(body);
      if (running.aborting.signal.aborted) running.sender.cancel();
      await running.sender
        .run((bytes) => this.send(['data', id, bytes], [bytes]))
        .catch((thrown: unknown) => (failure = dataOf(thrown)));
    }
    this.send(['end', id, failure]);
    try {
      this.send(['account', id, await result, null]);
    } catch (thrown) {
      this.send(['account', id, null, dataOf(thrown)]);
    }
  }

  #listen(name: keyof Events, heard: boolean): void {
    if (!heard) {
      this.#offs.get(name)?.();
      return void this.#offs.delete(name);
    }
    if (this.#offs.has(name) || this.#offs.size >= MOST_LISTENED || !this.#gate) return;
    const pending: { off?: () => void; stopped?: boolean } = {};
    this.#offs.set(name, () => {
      pending.stopped = true;
      pending.off?.();
    });
    // The page refuses a name that is none; one of a later version than this is never told.
    const listen = (gate: Tidegate) => {
      if (!pending.stopped) pending.off = gate.on(name, (event) => this.send(['event', name, event]));
    };
    this.#gate.then(listen).catch(() => undefined);
  }

  #fail(id: number, thrown: unknown): void {
    const error = toError(thrown);
    this.send(['fail', id, dataOf(error)]);
    // The Wasm has panicked: its memory may say anything from now on.
    if (error.cause instanceof WebAssembly.RuntimeError) this.send(['broken']);
  }
}

/** The buffers of bytes in what a method gave, each once; those that hold more than these bytes are copied instead. */
function buffersOf(value: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const look = (one: unknown, depth: number) => {
    if (one instanceof Uint8Array) {
      if (one.buffer instanceof ArrayBuffer && one.byteLength === one.buffer.byteLength) found.add(one.buffer);
    } else if (typeof one === 'object' && one !== null && depth > 0) {
      for (const inner of Object.values(one)) look(inner, depth - 1);
    }
  };
  look(value, 3);
  return [...found];
}

/** Bytes of text that a message carries, at two for each unit. */
function sizeOf(message: ToGate): number {
  if (message[0] === 'chat') return message[2].length * 2;
  if (message[0] !== 'fetch') return 0;
  const { url, body, headers } = message[2];
  return [url, body, ...headers].reduce((sum, text) => sum + text.length * 2, 0);
}
