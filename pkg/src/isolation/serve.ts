// The gateway's side of the boundary: takes messages, asks the gate of this realm, sends back what it says.

import { dataOf, invalid, toError } from '../errors.js';
import { QUEUE_CALLS } from '../queue/calls.js';
import type { Tidegate } from '../tidegate.js';
import type { ChatOptions, Events } from '../types.js';
import type { Sender } from './flow.js';
import {
  GATE_CALLS,
  VAULT_CALLS,
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
  /** Takes a message into account; throws to refuse it. */
  admit(message: ToGate): void;
}

/** One request or call under way. */
export interface Running {
  readonly aborting: AbortController;
  sender?: Sender;
}

/** Sends to the caller; the buffers are moved. */
export type Send = (message: FromGate, transfer?: Transferable[]) => void;

/** Answers one caller for as long as the port is open. */
export function serve(port: Port, build: string, open: (opening: Opening) => Promise<Tidegate>, guard?: Guard): void {
  const send: Send = (message, transfer = []) => port.postMessage(message, transfer);
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
    readonly send: Send,
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
      this.guard?.admit(message);
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
    if (message[0] === 'chat' && !message[4]) {
      const options: ChatOptions = { ...message[3], signal };
      return this.send(['done', id, await gate.chatText(message[2], options)]);
    }
    const { serveFetch, serveStream } = await gate.later();
    if (message[0] === 'fetch') return serveFetch(gate, this.send, message, running);
    if (message[0] === 'chat') return serveStream(gate, this.send, message, running);
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
        return gate.replay(first);
      case 'clearCache':
        return gate.cache.clear();
      case 'cached':
        return gate.cache.size();
      case 'routes':
        return gate.routes(String(first), String(second));
      case 'close':
        return gate.close();
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
