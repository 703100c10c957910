// A gate whose work is done in another realm: the same methods and types, by message.

import { checked } from '../checked.js';
import { ABORTED, jsonOf, notLoaded, TidegateError, toError } from '../errors.js';
import type { Gate, GateVault } from '../gate.js';
import { lateFetch } from '../late-fetch.js';
import { Listeners } from '../listeners.js';
import { queueOf, type GateQueue } from '../queue/calls.js';
import type {
  BudgetStatus,
  ChatAnswer,
  ChatOptions,
  ChatFields,
  ChatRequest,
  ChatStreaming,
  ChatStreamRequest,
  Events,
  GateFetch,
  RequestOptions,
  Status,
} from '../types.js';
import { watchPresence, type PresenceSign } from '../vault/presence.js';
import type { Line } from './line.js';
import { VAULT_CALLS, type GateCall, type ToGate } from './protocol.js';
import type { FetchRealm } from './remote-fetch.js';

/** How the other realm is come by. */
export interface Realm {
  readonly level: 'worker' | 'frame';
  /** A line to it that is open; starts it where it does not run. `listening` are the events to be told of. */
  line(): Promise<Line>;
  /** Rejects what must not be asked now. */
  admit(): Promise<void> | undefined;
  /** Who sees its requests, as `Status` says it; undefined where the realm itself knows. */
  serviceWorker(): Promise<string | null | undefined>;
  end(): void;
}

/** The line's side of a gate: told of what happens there. */
export interface Heard {
  event(name: string, event: unknown): void;
  /** Events to subscribe to on a new line. */
  names(): string[];
}

export class RemoteGate implements Gate {
  readonly vault: GateVault;
  readonly budget: { status(): Promise<BudgetStatus> };
  readonly queue: GateQueue;
  readonly cache: { clear(): Promise<void>; size(): Promise<number> };
  readonly fetch: GateFetch;
  readonly #realm: Realm;
  readonly #listeners: Listeners;
  readonly #forget: () => void;
  readonly #unwatch: () => void;

  private constructor(realm: Realm, listeners: Listeners, forget: () => void) {
    this.#realm = realm;
    this.#listeners = listeners;
    this.#forget = forget;
    this.vault = vaultOf((name, args) => this.#call(name, args));
    // A frame sees for itself who is there.
    const tell = (sign: PresenceSign) => void this.vault.presence(sign).catch(() => undefined);
    this.#unwatch = realm.level === 'worker' ? watchPresence(tell) : () => undefined;
    this.budget = { status: async () => (await this.status()).budget };
    this.queue = queueOf((name, args) => this.#call(`queue.${name}`, args));
    this.cache = {
      clear: () => this.#call('clearCache'),
      size: () => this.#call('cached'),
    };
    const host: FetchRealm = {
      // Kept from now on: an app may put `gate.fetch` in place of the global one, for SDKs that take no fetch.
      real: globalThis.fetch,
      routes: (method, url) => this.#call('routes', [method, url]),
      line: () => this.#admitted(),
    };
    this.fetch = lateFetch(async () => (await scripts()).remoteFetch(host));
  }

  /** Opens a gate in the realm that `start` gives. */
  static async open(start: (heard: Heard) => Promise<Realm>, forget: () => void): Promise<Gate> {
    const line: { realm?: Realm } = {};
    const listeners: Listeners = new Listeners((name, heard) => {
      line.realm?.line().then(
        (open) => open.send(['listen', name, heard]),
        () => undefined,
      );
    });
    const realm = await start({
      event: (name, event) => listeners.emit(name, event),
      names: () => listeners.names(),
    });
    line.realm = realm;
    await realm.line();
    return new RemoteGate(realm, listeners, forget);
  }

  chat(request: ChatRequest, options?: ChatOptions): Promise<ChatAnswer>;
  chat(request: ChatStreamRequest, options?: ChatOptions): Promise<ChatStreaming>;
  chat(
    request: ChatFields & { stream?: boolean | undefined },
    options?: ChatOptions,
  ): Promise<ChatAnswer | ChatStreaming>;
  async chat(
    request: ChatFields & { stream?: boolean | undefined },
    options: ChatOptions = {},
  ): Promise<ChatAnswer | ChatStreaming> {
    try {
      const { signal, tenant, cache } = checked(options);
      const stillWanted = () => {
        if (signal?.aborted) throw new TidegateError(ABORTED);
      };
      stillWanted();
      const body = jsonOf(request);
      const stream = request?.stream === true;
      const message = (id: number): ToGate => ['chat', id, body, asks(tenant, cache), stream];
      const [line, later] = await Promise.all([this.#admitted(), stream ? scripts() : undefined]);
      stillWanted();
      if (later) return await later.remoteStream(line, signal, message);
      return JSON.parse(await whole(line, signal, message)) as ChatAnswer;
    } catch (error) {
      throw toError(error);
    }
  }

  async status(): Promise<Status> {
    const [status, serviceWorker] = await Promise.all([this.#call<Status>('status'), this.#realm.serviceWorker()]);
    return { ...status, isolation: this.#realm.level, ...(serviceWorker !== undefined && { serviceWorker }) };
  }

  records(): Promise<string[]> {
    return this.#call('records');
  }

  replay(record: string): Promise<{ same: boolean; record: string }> {
    return this.#call('replay', [record]);
  }

  on<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): () => void {
    return this.#listeners.add(name, listener);
  }

  async close(): Promise<void> {
    this.#forget();
    this.#unwatch();
    this.#listeners.clear();
    // A realm that does not answer is ended all the same.
    await Promise.race([this.#call('close'), new Promise((resolve) => setTimeout(resolve, CLOSE_MS))]).catch(
      () => undefined,
    );
    this.#realm.end();
  }

  async #admitted(): Promise<Line> {
    await this.#realm.admit();
    return this.#realm.line();
  }

  async #call<T>(name: GateCall | `${'vault' | 'queue'}.${string}`, args: unknown[] = []): Promise<T> {
    try {
      const line = await this.#realm.line();
      return await line.call<T>((id) => {
        const transfer: Transferable[] = [];
        const sent = args.map((arg) => movable(arg, transfer));
        line.send(['call', id, name, sent], transfer);
      });
    } catch (error) {
      const told = toError(error);
      const { code, cause } = told;
      // Not sent, which none that is told from there is: there is something in it that cannot be.
      if (code !== 'invalid_request' || !cause) throw told;
      throw await scripts().then(
        ({ unsent }) => unsent(args, cause),
        () => told,
      );
    }
  }
}

const CLOSE_MS = 2_000;

/** What a first plain answer does not need. */
const scripts = () => import('./remote-later.js').catch(notLoaded);

/** A whole answer; the signal aborts it there, which then says so. */
async function whole(line: Line, signal: AbortSignal | undefined, message: (id: number) => ToGate): Promise<string> {
  let abort = () => {};
  try {
    return await line.call<string>((id) => {
      line.send(message(id));
      abort = () => line.send(['abort', id]);
      signal?.addEventListener('abort', abort, { once: true });
    });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** Without what is undefined: the other side takes no fields that say nothing. */
const asks = (tenant: RequestOptions['tenant'], cache: RequestOptions['cache']): RequestOptions => ({
  ...(tenant !== undefined && { tenant }),
  ...(cache !== undefined && { cache }),
});

/** Bytes are moved: a fresh copy goes over, and what it was made of is wiped here and now. Also inside of objects. */
function movable(value: unknown, transfer: Transferable[]): unknown {
  if (value instanceof Uint8Array) {
    const copy = value.slice();
    value.fill(0);
    transfer.push(copy.buffer);
    return copy;
  }
  if (Array.isArray(value)) return value.map((inner) => movable(inner, transfer));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, movable(inner, transfer)]));
}

function vaultOf(call: (name: `vault.${string}`, args: unknown[]) => Promise<unknown>): GateVault {
  const methods = VAULT_CALLS.map((name) => {
    const method = async (...args: unknown[]) => {
      const value = await call(`vault.${name}`, args);
      // Windows alone may ask to keep the storage. Not awaited: Firefox asks the user, and settles only when they answer.
      if (name === 'create') navigator.storage?.persist?.().catch(() => false);
      return value;
    };
    return [name, method] as const;
  });
  return Object.freeze(Object.fromEntries(methods)) as unknown as GateVault;
}
