// A gate as an app holds it. Everything is asynchronous and structured-cloneable, so that a later version can move the
// gate into a Web Worker without a change to the app.

import { asksOf } from './asks.js';
import { CHAT, type Caller } from './boundary.js';
import { streaming } from './chunks.js';
import { needsAll } from './build.js';
import { internal, toError } from './errors.js';
import { answered, gateFetch } from './fetch.js';
import type { Glue, Platform } from './platform.js';
import { memoryStorage } from './storage/memory.js';
import type { Storage } from './storage/storage.js';
import type {
  BudgetStatus,
  ChatAnswer,
  ChatMeta,
  ChatOptions,
  ChatRequest,
  ChatStreaming,
  Events,
  GateFetch,
  Status,
  TidegateConfig,
  TidegateHooks,
} from './types.js';
import { Vault } from './vault.js';
import { Watchdog } from './watchdog.js';

type Core = InstanceType<Glue['Core']>;
type Listener = (event: never) => void;

/** The default of `timeouts.totalMs`, and what the watchdog waits beyond it. */
const DEFAULT_TOTAL_MS = 120_000;
const GRACE_MS = 10_000;

interface Opened {
  key: string;
  gate: Promise<Tidegate>;
}

const opened = new Map<string, Opened>();

/** One gate: `await Tidegate.open(config)`. */
export class Tidegate {
  /** Provider keys. */
  readonly vault: Vault;
  /** The spending cap. */
  readonly budget: { status(): Promise<BudgetStatus> };
  /** The exact cache. */
  readonly cache: { clear(): Promise<void>; size(): Promise<number> };
  /** A `fetch` for SDKs: what they ask of a provider goes through this gate. Needs no `this`. */
  readonly fetch: GateFetch;

  readonly #core: Core;
  readonly #storage: Storage;
  readonly #ledger: Status['ledger'];
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #watchdog = new Watchdog();
  readonly #patienceMs: number;
  readonly #persistCache: boolean;
  readonly #forget: () => void;

  private constructor(
    core: Core,
    glue: Glue,
    platform: Platform,
    storage: Storage,
    ledger: Status['ledger'],
    config: TidegateConfig,
    real: typeof fetch,
    forget: () => void,
  ) {
    this.#core = core;
    this.#storage = storage;
    this.#ledger = ledger;
    this.#forget = forget;
    this.#patienceMs = (config.timeouts?.totalMs ?? DEFAULT_TOTAL_MS) + GRACE_MS;
    this.#persistCache = config.cache?.persist === true;
    this.vault = new Vault(core, glue, platform, storage, () => this.#loadCache());
    this.budget = { status: async () => (await this.status()).budget };
    this.cache = {
      clear: async () => {
        core.clearCache();
        await storage.change('cache', [], (await storage.all('cache')).keys());
      },
      size: () => Promise.resolve(core.cached()),
    };
    this.fetch = gateFetch({
      core: this.#caller,
      real,
      watch: (work) => this.#watchdog.watch(work, this.#patienceMs),
      settled: (account) => this.#settled(account),
    });
  }

  get #caller(): Caller {
    return this.#core as unknown as Caller;
  }

  /** @internal The entries bind this to their platform. */
  static async openOn(platform: Platform, config: TidegateConfig = {}, hooks: TidegateHooks = {}): Promise<Tidegate> {
    const name = typeof config.name === 'string' ? config.name : 'default';
    const key = JSON.stringify(config);
    const known = opened.get(name);
    if (known?.key === key) return known.gate;
    const forget = () => opened.get(name) === entry && opened.delete(name);
    // A changed configuration (hot reload) takes the place of the old gate; ledger and vault are the same.
    const closed = known?.gate.then(
      (old) => old.close(),
      () => undefined,
    );
    const entry: Opened = {
      key,
      gate: Promise.resolve(closed).then(() => Tidegate.#make(platform, config, hooks, forget)),
    };
    opened.set(name, entry);
    entry.gate.catch(forget);
    return entry.gate;
  }

  static async #make(
    platform: Platform,
    config: TidegateConfig,
    hooks: TidegateHooks,
    forget: () => void,
  ): Promise<Tidegate> {
    try {
      const glue = await platform.load(needsAll(config));
      const decider = new glue.LedgerDecider(config); // also validates, before anything is opened
      const name = config.name ?? 'default';
      const storage = hooks.ledger
        ? memoryStorage()
        : await platform.open(name, config.ledger, (snapshot, command) => {
            const [next, reply] = decider.decide(snapshot, command, Date.now()) as [Uint8Array | undefined, Uint8Array];
            return [next, reply];
          });
      const listening: { gate?: Tidegate } = {};
      // Kept from now on: an app may put `gate.fetch` in place of the global one, for SDKs that take no fetch.
      const real = hooks.fetch ?? globalThis.fetch;
      const core = new glue.Core(config, {
        runtime: platform.runtime,
        fetch: real,
        ledger: hooks.ledger ?? storage.ledger,
        join: hooks.join,
        debug: config.debug,
        emit: (event: string, data: unknown) => {
          const { gate } = listening;
          if (gate) gate.#emit(event, data);
        },
      });
      const kind = hooks.ledger ? 'hook' : storage.kind;
      const gate = new Tidegate(core, glue, platform, storage, kind, config, real, forget);
      listening.gate = gate;
      if ((await gate.vault.state()) === 'locked') await gate.vault.lock();
      return gate;
    } catch (error) {
      throw toError(error);
    }
  }

  /**
   * Sends a chat request through the gateway: cache, budget, retry, breaker, fallback. With `stream: true` it resolves
   * when the answer begins: what fails until then rejects, and another target may still have been tried.
   * @throws {TidegateError} with the codes of the README's table; `budget_exceeded` says when the cap resets.
   */
  chat(request: ChatRequest & { stream: true }, options?: ChatOptions): Promise<ChatStreaming>;
  chat(request: ChatRequest & { stream: false }, options?: ChatOptions): Promise<ChatAnswer>;
  chat(request: ChatRequest & { stream: boolean }, options?: ChatOptions): Promise<ChatAnswer | ChatStreaming>;
  chat(request: ChatRequest, options?: ChatOptions): Promise<ChatAnswer>;
  async chat(request: ChatRequest, options: ChatOptions = {}): Promise<ChatAnswer | ChatStreaming> {
    try {
      return request.stream === true ? await this.#stream(request, options) : await this.#whole(request, options);
    } catch (error) {
      throw toError(error);
    }
  }

  async #whole(request: ChatRequest, options: ChatOptions): Promise<ChatAnswer> {
    const { tenant, flags, ttlMs, namespace } = asksOf(options);
    const body = JSON.stringify(request);
    const work = this.#core.chat(body, tenant, flags, ttlMs, namespace, options.signal) as string | Promise<string>;
    const text = typeof work === 'string' ? work : await this.#watchdog.watch(work, this.#patienceMs);
    const answer = JSON.parse(text) as ChatAnswer;
    if (this.#persistCache && answer.tidegate.cache !== 'hit') await this.#saveCache();
    return answer;
  }

  async #stream(request: ChatRequest, options: ChatOptions): Promise<ChatStreaming> {
    const { tenant, flags, ttlMs, namespace } = asksOf(options);
    const { signal } = options;
    const endpoint = this.#caller.route(...CHAT) ?? '';
    const work = this.#caller.call(endpoint, JSON.stringify(request), [], tenant, flags, ttlMs, namespace, signal);
    const answer = work instanceof Promise ? await this.#watchdog.watch(work, this.#patienceMs) : work;
    const [{ body: bytes }, result] = answered(answer, signal, (account) => this.#settled(account));
    if (!bytes) throw internal('The gateway gave no stream.');
    return streaming(bytes, result, signal);
  }

  /** Targets, breakers, budget, cache, vault. */
  async status(): Promise<Status> {
    try {
      const status = (await this.#watchdog.watch(this.#core.status(), this.#patienceMs)) as Status;
      return { ...status, vault: await this.vault.state(), ledger: this.#ledger };
    } catch (error) {
      throw toError(error);
    }
  }

  /** Decision records of the last 64 requests, oldest first: plain text without content or keys. */
  records(): Promise<string[]> {
    return Promise.resolve(this.#core.records() as string[]);
  }

  /** Takes the decisions of a record again, without sending anything; says whether they are the same. */
  async replay(record: string): Promise<{ same: boolean; record: string }> {
    try {
      return (await this.#core.replay(record)) as { same: boolean; record: string };
    } catch (error) {
      throw toError(error);
    }
  }

  /** Calls `listener` for each event of this name. Returns how to stop. */
  on<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener as Listener));
    this.#core.listen(true);
    return () => {
      listeners.delete(listener as Listener);
      this.#core.listen([...this.#listeners.values()].some((set) => set.size > 0));
    };
  }

  /** Wipes the keys from memory, closes the storage, and lets `open` make a new gate of this name. */
  async close(): Promise<void> {
    this.#forget();
    this.#listeners.clear();
    this.#core.listen(false);
    this.#core.vaultLock();
    await this.#storage.close();
  }

  #emit(name: string, event: unknown): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        (listener as (event: unknown) => void)(event);
      } catch (error) {
        // The app's own mistake: told as one, without harm to the request.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #settled(account: ChatMeta): void {
    if (this.#persistCache && account.cache !== 'hit') void this.#saveCache();
  }

  async #saveCache(): Promise<void> {
    const { put, remove } = this.#core.syncCache() as { put: [string, Uint8Array][]; remove: string[] };
    // A full disk costs cached answers, nothing else.
    await this.#storage.change('cache', put, remove).catch(() => undefined);
  }

  async #loadCache(): Promise<void> {
    if (!this.#persistCache) return;
    const lost: string[] = [];
    for (const [name, bytes] of await this.#storage.all('cache')) {
      if (!this.#core.restoreCache(name, bytes)) lost.push(name);
    }
    await this.#storage.change('cache', [], lost);
  }
}

/** For platforms without a KDF. */
export const noDerive = () => Promise.reject(internal('A vault with a passphrase is not available in this runtime.'));
