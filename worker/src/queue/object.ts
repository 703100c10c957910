import { DurableObject } from 'cloudflare:workers';

import { Drain } from '../../../pkg/src/queue/drain';
import { Engine, noStats, type Stats } from '../../../pkg/src/queue/engine';
import { dataOf, TidegateError, type ErrorData } from '../../../pkg/src/errors';
import type { ChatMeta } from '../../../pkg/src/types';
import { rawConfiguration, type Env } from '../env';
import { askerOf, keyedGateOf, within } from '../gates';
import { Notes } from '../notes';
import { load, Queue, queuePlace } from '../wasm';
import { mastersOf } from './masters';
import { Listeners } from './listeners';
import { SqlRows } from './rows';

/** What an object answers: a value, or why not. An exception that crosses objects would lose its type. */
export type Answer<T> = { value: T } | { error: ErrorData };

/** What a request asks of the cache: nothing that is remembered. */
const REFRESH = 4;
/** Items that one alarm begins: each asks providers and ledger, and an event may not ask without end. */
const MOST = 200;
/** The longest answer, in bytes, that fits into a row sealed: rows hold 2 MB. */
const MAX_ANSWER = 1_900_000;

/**
 * One shard of an organisation's queue. It drains itself: the first request sets an alarm, the alarm runs what waits,
 * and as long as it does a request costs one insert. A platform that dies in the middle rings the alarm again.
 */
export class RequestQueue extends DurableObject<Env> {
  #rows = new SqlRows(this.ctx.storage);
  #listeners = new Listeners(this.ctx);
  #opened: { engine: Engine; drain: Drain } | undefined;
  #isSettled = false;
  /** When the alarm rings, as far as this instance knows. */
  #alarm = Infinity;

  /** Takes a request in; its status as JSON. It runs within the limits of its caller, `by`. */
  enqueue(
    organisation: string,
    shard: number,
    json: string,
    user: string | undefined,
    key: string | undefined,
    by: string[],
  ): Promise<Answer<string>> {
    return this.#answer(async () => {
      const { engine, drain } = this.#open({ organisation, shard });
      if (!this.#isSettled) this.#rows.settle(organisation, shard);
      this.#isSettled = true;
      const [status, due] = await engine.enqueue(json, organisation, user, key, by);
      this.#ring(Date.now());
      if (due !== undefined) drain.came(due);
      return status;
    });
  }

  status(id: string, user: string | undefined): Promise<Answer<string | undefined>> {
    return this.#answer(async () => this.#settled()?.engine.status(id, user));
  }

  cancel(id: string, user: string | undefined): Promise<Answer<string | undefined>> {
    return this.#answer(async () => this.#settled()?.engine.cancel(id, user));
  }

  revive(id: string): Promise<Answer<string | undefined>> {
    return this.#answer(async () => {
      const status = await this.#settled()?.engine.revive(id);
      if (status !== undefined) this.#ring(Date.now());
      return status;
    });
  }

  dead(): Promise<Answer<string[]>> {
    return this.#answer(async () => (await this.#settled()?.engine.dead()) ?? []);
  }

  stats(): Promise<Answer<Stats>> {
    return this.#answer(async () => (await this.#settled()?.engine.stats()) ?? noStats());
  }

  cleanup(): Promise<Answer<{ changed: number; erased: number }>> {
    return this.#answer(async () => (await this.#settled()?.engine.sweep()) ?? { changed: 0, erased: 0 });
  }

  /** Erases a user's requests, whatever has become of them; those that run are stopped. How many they were. */
  eraseUser(user: string): Promise<Answer<number>> {
    return this.#answer(async () => {
      const opened = this.#settled();
      if (!opened) return 0;
      const { engine, drain } = opened;
      const erased = this.#rows.erase((bytes) => {
        try {
          return engine.machine.owns(bytes, user);
        } catch {
          // What cannot be read is left as it is, and cannot be told to be theirs.
          return false;
        }
      });
      for (const arrival of erased) drain.end(arrival);
      this.#listeners.leave(engine.machine.ownerOf(user));
      return erased.length;
    });
  }

  /** Progress: `?requestId=` of one request, else of all, as events or, if asked to upgrade, over a WebSocket. */
  override async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const [id, user] = [searchParams.get('requestId'), searchParams.get('user') ?? undefined];
    const place = { organisation: searchParams.get('organisation') ?? '', shard: Number(searchParams.get('shard')) };
    const { engine } = this.#open(this.#rows.place() ?? place);
    const status = id === null ? undefined : await engine.status(id, user);
    if (id !== null && status === undefined) return new Response(null, { status: 404 });
    const arrival = id === null ? undefined : (queuePlace(id) as [number, number])[1];
    const owner = user === undefined ? undefined : engine.machine.ownerOf(user);
    const wish = { arrival, owner };
    return request.headers.get('upgrade') === 'websocket'
      ? this.#listeners.socket(wish, status)
      : this.#listeners.stream(wish, status);
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    await this.#listeners.heard(socket, message);
  }

  override async alarm(): Promise<void> {
    this.#alarm = Infinity;
    const opened = this.#settled();
    if (!opened) return;
    const next = await opened.drain.drain(MOST);
    if (next !== undefined) this.#ring(Math.max(next, Date.now()));
  }

  /** Sets the alarm to an earlier time. */
  #ring(at: number): void {
    if (at >= this.#alarm) return;
    this.#alarm = at;
    // Not awaited: the reply waits for the disk by itself.
    this.ctx.storage.setAlarm(at).catch(() => (this.#alarm = Infinity));
  }

  /** The queue, if a request ever came. */
  #settled() {
    if (this.#opened) return this.#opened;
    const place = this.#rows.place();
    return place && this.#open(place);
  }

  #open({ organisation, shard }: { organisation: string; shard: number }) {
    if (this.#opened) return this.#opened;
    load();
    const machine = new Queue(rawConfiguration(this.env), mastersOf(this.env), organisation, shard);
    const engine: Engine = new Engine(
      this.#rows,
      machine,
      (id) => queuePlace(id) as [number, number] | undefined,
      (change) => {
        if (change.ended) drain.end(change.arrival);
        this.#listeners.tell(change, () => engine);
      },
    );
    const drain: Drain = new Drain(engine, {
      run: (body, by, again, signal) => this.#run(organisation, body, by, again, signal),
    });
    this.#opened = { engine, drain };
    // Nobody else runs items of this object: what an earlier instance ran is to be run again.
    void engine.reclaim([drain.holder], true);
    return this.#opened;
  }

  /** Asks, and notes each try as any other request: in figures, usage and the log. */
  async #run(organisation: string, body: string, by: string[], again: boolean, signal: AbortSignal): Promise<string> {
    const notes = new Notes(undefined, 'queue', this.env);
    notes.caller = askerOf(organisation, by);
    try {
      const answer = await this.#ask(organisation, body, by, again, signal);
      notes.begun();
      const { tidegate } = JSON.parse(answer) as { tidegate: ChatMeta };
      this.ctx.waitUntil(notes.ended(tidegate));
      return answer;
    } catch (thrown) {
      this.ctx.waitUntil(notes.failed(thrown));
      throw thrown;
    }
  }

  async #ask(organisation: string, body: string, by: string[], again: boolean, signal: AbortSignal): Promise<string> {
    const { core, deadlineMs, leases } = await keyedGateOf(organisation, this.env);
    const work = core.chatFor(by, body, organisation, again ? REFRESH : 0, signal);
    const answer = await within(organisation, deadlineMs, Promise.resolve(work)).finally(() => {
      if (leases) this.ctx.waitUntil(Promise.resolve(core.keepSlices()).catch(() => undefined));
    });
    if (answer.length * 3 > MAX_ANSWER && new TextEncoder().encode(answer).length > MAX_ANSWER) {
      const message = 'The answer is too long to be kept.';
      throw new TidegateError({
        ...{ code: 'upstream_malformed', message, status: 502, shouldRetry: false, attempts: [] },
      });
    }
    return answer;
  }

  async #answer<T>(work: () => Promise<T>): Promise<Answer<T>> {
    try {
      return { value: await work() };
    } catch (thrown) {
      const error = dataOf(thrown);
      if (error.code === 'internal') console.error('queue:', thrown instanceof Error ? thrown.name : 'storage');
      return { error };
    }
  }
}
