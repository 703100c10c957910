// A gate in the realm that does the work: the app's own page or process, a worker, a frame.

import { asksOf, NONE } from './asks.js';
import { CHAT, guarded, type Caller } from './boundary.js';
import { buildFor, type Build } from './build.js';
import { longestMs } from './config.js';
import { closed, internal, jsonOf, notLoaded, textAt, toError, type ErrorData } from './errors.js';
import type { FetchHost } from './fetch.js';
import type { Gate, GateVault } from './gate.js';
import { deciderOf } from './decider.js';
import { misplaced, type Wrong } from './isolation/place.js';
import { serviceWorkerOf } from './isolation/service-worker.js';
import { lateFetch } from './late-fetch.js';
import { Listeners } from './listeners.js';
import { once, type Glue, type Platform } from './platform.js';
import { queueOf, type GateQueue } from './queue/calls.js';
import type { AllGlue, Home, TabQueue } from './queue/tab.js';
import { memoryStorage } from './storage/memory.js';
import { toldOf } from './storage/failed.js';
import type { Storage } from './storage/storage.js';
import type {
  BudgetStatus,
  ChatAnswer,
  ChatMeta,
  ChatOptions,
  ChatFields,
  ChatRequest,
  ChatStreaming,
  ChatStreamRequest,
  Events,
  GateFetch,
  Status,
  TidegateConfig,
  TidegateHooks,
} from './types.js';
import { AtHand, vaultOf } from './vault/at-hand.js';
import type { VaultParts } from './vault/parts.js';
import { Watchdog, type Unsettled } from './watchdog.js';

type Core = InstanceType<Glue['Core']>;

/** What the watchdog waits beyond the longest request. */
const GRACE_MS = 10_000;

/** How long after the first answer the rest is fetched: the answer shall be shown first. */
const REST_AFTER_MS = 200;

/** One gate: `await Tidegate.open(config)`. */
export class Tidegate implements Gate {
  readonly vault: GateVault;
  readonly budget: { status(): Promise<BudgetStatus> };
  readonly queue: GateQueue;
  readonly cache: { clear(): Promise<void>; size(): Promise<number> };
  readonly fetch: GateFetch;

  readonly #core: Core;
  #queue: TabQueue | undefined;
  readonly #caller: Caller;
  readonly #admit: () => void;
  readonly #storage: Storage;
  readonly #ledger: Status['ledger'];
  readonly #listeners: Listeners;
  readonly #watchdog: Watchdog;
  readonly #patienceMs: number;
  readonly #persistCache: boolean;
  readonly #forget: () => void;
  readonly #rest: Rest;
  readonly #scripts: Scripts;
  #soon = (): void => {
    this.#soon = () => undefined;
    // If it does not come, who needs it asks again.
    setTimeout(() => {
      this.#rest()?.catch(() => undefined);
      this.#scripts().catch(() => undefined);
    }, REST_AFTER_MS);
  };
  readonly #closed = new AbortController();
  /**
   * How the Wasm finds this gate. It holds `emit` for as long as the core lives: were there a way from there to the core
   * of a gate that is closed, neither would ever be freed.
   */
  #listening: { gate?: Tidegate } = {};

  private constructor(
    core: Core,
    glue: Glue,
    platform: Platform,
    build: Build,
    storage: Storage,
    ledger: Status['ledger'],
    config: TidegateConfig,
    real: typeof fetch,
    admit: () => void,
    forget: () => void,
    rest: Rest,
    ledgerFailure: ((error: unknown) => unknown) | undefined,
  ) {
    this.#core = core;
    const { signal } = this.#closed;
    this.#rest = () => (signal.aborted ? Promise.reject(toError(signal.reason)) : rest());
    this.#scripts = scriptsOf(platform);
    this.#watchdog = new Watchdog(() => platform.broken?.(build), ledgerFailure);
    this.#admit = () => {
      signal.throwIfAborted();
      admit();
      atHand.look();
    };
    this.#caller = guarded(core, this.#admit);
    this.#storage = storage;
    this.#ledger = ledger;
    this.#forget = forget;
    this.#listeners = new Listeners(() => core.listen(this.#listeners.names().length > 0));
    this.#patienceMs = longestMs(config) + GRACE_MS;
    this.#persistCache = config.cache?.persist === true;
    const parts: VaultParts = {
      core,
      glue,
      platform,
      storage,
      rest: this.#rest,
      name: config.name ?? 'default',
      opened: () => this.#loadCache(),
      asleep: () => {
        if (storage.kind !== 'indexeddb') return;
        void storage.close();
        this.#queue?.asleep();
      },
      closed: signal,
      locked: (reason) => this.#listeners.emit('vault-lock', { reason, at: Date.now() }),
    };
    const late = once(async () => (await this.#scripts()).vaultOn(parts, atHand));
    const atHand: AtHand = new AtHand(parts, late);
    this.vault = vaultOf(atHand, late);
    const unwatch = platform.watchPresence?.((sign) => void this.vault.presence(sign));
    if (unwatch) signal.addEventListener('abort', unwatch);
    this.budget = { status: async () => (await this.status()).budget };
    this.queue = queueOf((name, args) => this.#enqueue(name, args));
    this.cache = {
      clear: async () => {
        signal.throwIfAborted();
        core.clearCache();
        await storage.change('cache', [], (await storage.all('cache')).keys());
      },
      size: async () => {
        signal.throwIfAborted();
        return core.cached();
      },
    };
    const host: FetchHost = {
      core: this.#caller,
      real,
      rest,
      watch: (work) => this.#watchdog.watch(work, this.#patienceMs),
      settled: (account) => this.#settled(account),
    };
    this.fetch = lateFetch(async () => (await this.#scripts()).gateFetch(host));
  }

  /**
   * @internal One gate of its own. `config` without what is about places (`placeOf`), of which `wrong` is what cannot be;
   * `allow` throws for what must not be asked here.
   */
  static async make(
    platform: Platform,
    config: TidegateConfig,
    hooks: TidegateHooks,
    forget: () => void,
    allow?: () => void,
    wrong: Wrong = [],
  ): Promise<Tidegate> {
    try {
      const build = buildFor(config);
      const admit = () => {
        const broken = platform.broken?.(build);
        if (broken) throw broken;
        allow?.();
      };
      admit();
      const glue = await platform.load(build);
      const rest = restOf(build === 'all' ? undefined : () => platform.rest?.(build));
      const noLedger = hooks.ledger ? undefined : platform.noLedger(config?.ledger);
      const decider = deciderOf(glue, config, noLedger ? [...wrong, { path: 'ledger', problem: noLedger }] : wrong);
      const name = config.name ?? 'default';
      const storage = hooks.ledger
        ? memoryStorage()
        : await platform.open(name, config.ledger, (snapshot, command) => {
            const [next, reply] = decider.decide(snapshot, command, Date.now()) as [Uint8Array | undefined, Uint8Array];
            return [next, reply];
          });
      const listening: { gate?: Tidegate } = {};
      const books = storage.ledger && toldOf(storage.ledger);
      // Kept from now on: an app may put `gate.fetch` in place of the global one, for SDKs that take no fetch.
      const real = hooks.fetch ?? globalThis.fetch;
      const core = new glue.Core(config, {
        runtime: platform.runtime,
        fetch: real,
        ledger: hooks.ledger ?? books?.ask,
        join: hooks.join,
        rest,
        debug: config.debug,
        emit: (event: string, data: unknown) => {
          const { gate } = listening;
          if (gate) gate.#listeners.emit(event, data);
        },
      });
      const kind = hooks.ledger ? 'hook' : storage.kind;
      const why = books?.why;
      const gate = new Tidegate(core, glue, platform, build, storage, kind, config, real, admit, forget, rest, why);
      gate.#listening = listening;
      listening.gate = gate;
      if (config.queue && platform.queue)
        gate.#openQueue(await platform.queue().catch(notLoaded), glue, config.name ?? 'default');
      if ((await gate.vault.state()) === 'locked') core.vaultLock();
      return gate;
    } catch (error) {
      throw toError(error);
    }
  }

  chat(request: ChatRequest, options?: ChatOptions): Promise<ChatAnswer>;
  chat(request: ChatStreamRequest, options?: ChatOptions): Promise<ChatStreaming>;
  chat(
    request: ChatFields & { stream?: boolean | undefined },
    options?: ChatOptions,
  ): Promise<ChatAnswer | ChatStreaming>;
  // Whole answers are read here: each promise around one costs as much as a good part of what is decided about it.
  async chat(
    request: ChatFields & { stream?: boolean | undefined },
    options: ChatOptions = NONE,
  ): Promise<ChatAnswer | ChatStreaming> {
    try {
      const body = jsonOf(request);
      if (request?.stream === true) return await this.#stream(body, options);
      const work = this.#text(body, options);
      const answer = JSON.parse(typeof work === 'string' ? work : await work) as ChatAnswer;
      if (this.#persistCache && answer.tidegate.cache !== 'hit') await this.#saveCache();
      this.#soon();
      return answer;
    } catch (error) {
      // One that was under way finds the keys gone.
      const { aborted, reason } = this.#closed.signal;
      const told = toError(error);
      throw aborted && told.code === 'vault_locked' ? reason : told;
    }
  }

  async #stream(request: string, options: ChatOptions): Promise<ChatStreaming> {
    const [{ body }, result] = await this.chatBytes(request, options);
    if (!body) throw internal('The gateway gave no stream.');
    return (await this.#scripts()).streaming(body, result, options.signal);
  }

  /** @internal A whole answer as it comes out of the Wasm, for those who hand it on. Throws data of errors too. */
  async chatText(body: string, options: ChatOptions): Promise<string> {
    const text = await this.#text(body, options);
    if (this.#persistCache && (JSON.parse(text) as ChatAnswer).tidegate.cache !== 'hit') await this.#saveCache();
    this.#soon();
    return text;
  }

  /** The answer's text: at once what takes no waiting. */
  #text(body: string, options: ChatOptions): string | Promise<string> {
    const { tenant, flags, ttlMs, namespace } = asksOf(options);
    this.#admit();
    const work = this.#core.chat(body, tenant, flags, ttlMs, namespace, options.signal) as string | Unsettled<string>;
    return typeof work === 'string' ? work : this.#watchdog.watch(work, this.#patienceMs);
  }

  /** @internal The bytes of a streamed answer, with its account. Throws data of errors too. */
  async chatBytes(body: string, options: ChatOptions): Promise<[Response, Promise<ChatMeta>]> {
    const { tenant, flags, ttlMs, namespace } = asksOf(options);
    const { signal } = options;
    const { answered } = await this.later();
    const endpoint = this.#caller.route(...CHAT) ?? '';
    const work = this.#caller.call(endpoint, body, [], tenant, flags, ttlMs, namespace, signal);
    const answer = work instanceof Promise ? await this.#watchdog.watch(work, this.#patienceMs) : work;
    return answered(answer, signal, (account) => this.#settled(account));
  }

  /** @internal All that loads later; gives its scripts. */
  async later(): ReturnType<Scripts> {
    const [scripts] = await Promise.all([this.#scripts(), this.#rest()]);
    return scripts;
  }

  /** @internal Whether `fetch` takes a request to this address itself. */
  async routes(method: string, url: string): Promise<boolean> {
    await this.#rest();
    return this.#caller.route(method, url) !== undefined;
  }

  /** @internal What `fetch` answers to a request that it cannot read. */
  async refuse(method: string, url: string, error: ErrorData): Promise<[Response, Promise<ChatMeta>]> {
    const { refused } = await this.later();
    return [refused(this.#caller, this.#caller.route(method, url) ?? '', error), Promise.reject(toError(error))];
  }

  async status(): Promise<Status> {
    try {
      await this.#rest();
      const status = (await this.#watchdog.watch(this.#core.status(), this.#patienceMs)) as Status;
      return {
        ...(this.#queue && { queue: await this.#queue.stats() }),
        ...status,
        vault: await this.vault.state(),
        ledger: this.#ledger,
        isolation: 'page',
        serviceWorker: serviceWorkerOf(),
      };
    } catch (error) {
      throw toError(error);
    }
  }

  async records(): Promise<string[]> {
    await this.#rest();
    return this.#core.records() as string[];
  }

  async replay(record: string): Promise<{ same: boolean; record: string }> {
    try {
      await this.#rest();
      return (await this.#core.replay(textAt('record', record))) as { same: boolean; record: string };
    } catch (error) {
      throw toError(error);
    }
  }

  on<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): () => void {
    return this.#listeners.add(name, listener);
  }

  async close(): Promise<void> {
    this.#forget();
    this.#listeners.clear();
    delete this.#listening.gate;
    try {
      this.#core.listen(false);
      await this.#queue?.close();
    } finally {
      this.#closed.abort(closed());
      await this.#storage.close();
      this.#core.vaultLock();
    }
  }

  #openQueue({ TabQueue }: { TabQueue: new (home: Home) => TabQueue }, glue: Glue, name: string): void {
    this.#queue = new TabQueue({
      glue: glue as AllGlue,
      core: this.#core as InstanceType<AllGlue['Core']>,
      lasts: this.#storage.kind === 'indexeddb',
      name,
      vault: () => this.vault.state(),
      run: (body, again, signal) => this.chatText(body, { signal, ...(again && { cache: { refresh: true } }) }),
      emit: (status) => this.#listeners.emit('queue-progress', status),
    });
  }

  async #enqueue(name: keyof GateQueue, args: unknown[]): Promise<unknown> {
    if (!this.#queue) throw misplaced([{ path: 'queue', problem: 'must be there, if only as {}' }]);
    return (this.#queue[name] as (...args: unknown[]) => Promise<unknown>)(...args);
  }

  #settled(account: ChatMeta): void {
    if (this.#persistCache && account.cache !== 'hit') void this.#saveCache();
  }

  async #saveCache(): Promise<void> {
    await this.#rest();
    const { put, remove } = this.#core.syncCache() as { put: [string, Uint8Array][]; remove: string[] };
    // A full disk costs cached answers, nothing else.
    await this.#storage.change('cache', put, remove).catch(() => undefined);
  }

  async #loadCache(): Promise<void> {
    if (!this.#persistCache) return;
    await this.#rest();
    const lost: string[] = [];
    for (const [name, bytes] of await this.#storage.all('cache')) {
      if (!this.#core.restoreCache(name, bytes)) lost.push(name);
    }
    await this.#storage.change('cache', [], lost);
  }
}

type Scripts = Platform['later'];

const scriptsOf = ({ later }: Platform): Scripts => once(() => later().catch(notLoaded));

/** Loads what a build leaves for later; nothing once it is here. */
type Rest = () => Promise<void> | undefined;

const restOf =
  (load: Rest | undefined): Rest =>
  () =>
    load?.()?.catch(notLoaded);

/** For platforms without a KDF. */
export const noDerive = () => Promise.reject(internal('A vault with a passphrase is not available in this runtime.'));
