import { DurableObject } from 'cloudflare:workers';

import { Drain, type Runner } from '../../../pkg/src/queue/drain';
import { Engine, noStats } from '../../../pkg/src/queue/engine';
import type { Stats } from '../../../pkg/src/queue/stats';
import { dataOf, TidegateError, type ErrorData } from '../../../pkg/src/errors';
import type { ChatMeta } from '../../../pkg/src/types';
import { rawConfiguration, type Env } from '../env';
import { askerOf, gateOf, keyedGateOf, within } from '../gates';
import { Notes } from '../notes';
import { load, Queue, queuePlace } from '../wasm';
import { mastersOf } from './masters';
import { Listeners } from './listeners';
import { SqlRows } from './rows';

/**
 * What a refusal begins with where an object answers by a text alone. Most requests to a queue put something into it, and the
 * platform hands an object over in more time than a text.
 */
export const REFUSED = '!';

/** What an object answers: a value, or why not. An exception that crosses objects would lose its type. */
export type Answer<T> = { value: T } | { error: ErrorData };

/** What a request asks of the cache: nothing that is remembered. */
const REFRESH = 4;
/**
 * Items that one alarm begins: on the free plan an event may ask the outside 50 times, and some items ask twice.
 */
const MOST = 32;
/**
 * Items that run at once: the platform keeps every further exchange of an object waiting until one of six has its headers,
 * and their timeouts would run meanwhile.
 */
const HANDS = 6;
/** How long an alarm may take, in milliseconds. The platform ends longer ones in the middle, after 15 minutes. */
const ALARM_MS = 14 * 60_000;
/** The longest run of an item, in milliseconds, whatever the configuration says. */
const LONGEST_MS = 13 * 60_000;
/** After so long an alarm that failed is set anew, in milliseconds. */
const AGAIN_MS = 60_000;
/** The longest answer, in bytes, that fits into a row sealed: rows hold 2 MB. */
const MAX_ANSWER = 1_900_000;

/**
 * One shard of an organisation's queue. It drains itself: the first request sets an alarm, the alarm runs what waits,
 * and as long as it does a request costs one insert. A platform that dies in the middle rings the alarm again.
 */
export class RequestQueue extends DurableObject<Env> {
  #rows = new SqlRows(this.ctx.storage);
  #listeners = new Listeners(this.ctx);
  #opened: { organisation: string; engine: Engine; drain: Drain } | undefined;
  #isSettled = false;
  /** When the alarm rings, as far as this instance knows. */
  #alarm = Infinity;
  /** Whether it is ringing. */
  #rings = false;

  /**
   * Takes a request in; its status as JSON, or {@link REFUSED} and why it was not. It runs within the limits of its caller,
   * `by`.
   */
  async enqueue(
    organisation: string,
    shard: number,
    json: string,
    user: string | undefined,
    key: string | undefined,
    by: string[],
  ): Promise<string> {
    const answer = await this.#answer(async () => {
      const { engine, drain } = this.#open({ organisation, shard });
      if (!this.#isSettled) this.#rows.settle(organisation, shard);
      this.#isSettled = true;
      const [status, due] = await engine.enqueue(json, organisation, user, key, by);
      void this.#ring(Date.now()).catch(ignore);
      if (due !== undefined) drain.came(due);
      return status;
    });
    return 'value' in answer ? answer.value : REFUSED + JSON.stringify(answer.error);
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
      if (status !== undefined) void this.#ring(Date.now()).catch(ignore);
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
      this.#listeners.leave(engine.machine.ownersOf(user));
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
    const owners = user === undefined ? undefined : engine.machine.ownersOf(user);
    const wish = { arrival, owners, by: searchParams.get('by') ?? '' };
    return request.headers.get('upgrade') === 'websocket'
      ? this.#listeners.socket(wish, status)
      : this.#listeners.stream(wish, status);
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    await this.#listeners.heard(socket, message);
  }

  /**
   * Fails only if it cannot be set again: the platform gives an alarm up that did seven times, and what waits would wait
   * for ever.
   */
  override async alarm(): Promise<void> {
    this.#alarm = Infinity;
    this.#rings = true;
    let next: number | undefined;
    try {
      const opened = this.#settled();
      if (!opened) return;
      const longest = Math.min(gateOf(opened.organisation, this.env).deadlineMs, LONGEST_MS);
      next = await opened.drain.drain(MOST, Date.now() + ALARM_MS - longest);
    } catch (thrown) {
      console.error('queue: nothing was run:', dataOf(thrown).code);
      next = Date.now() + AGAIN_MS;
    } finally {
      this.#rings = false;
    }
    if (next !== undefined) await this.#ring(Math.max(next, Date.now()));
  }

  /** Sets the alarm to an earlier time. Whoever does not wait for it need not: replies wait for the disk by themselves. */
  async #ring(at: number): Promise<void> {
    if (at >= this.#alarm) return;
    this.#alarm = at;
    try {
      await this.ctx.storage.setAlarm(at);
    } catch (failure) {
      this.#alarm = Infinity;
      throw failure;
    }
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
    const runner: Runner = {
      run: (body, by, again, signal) => this.#run(organisation, body, by, again, signal),
    };
    const drain: Drain = new Drain(engine, runner, HANDS);
    this.#opened = { organisation, engine, drain };
    // Nobody else runs items of this object: what an earlier instance ran is to be run again.
    const reclaimed = engine.reclaim([drain.holder], true);
    this.ctx.waitUntil(reclaimed.then(() => this.#wound()).catch(ignore));
    return this.#opened;
  }

  /** Sets the alarm if something waits for it and there is none: an earlier one may have been given up. */
  async #wound(): Promise<void> {
    const due = this.#rows.due();
    if (due === undefined || this.#rings || (await this.ctx.storage.getAlarm()) !== null) return;
    if (!this.#rings) await this.#ring(Math.max(due, Date.now()));
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
    const late = deadlineMs > LONGEST_MS ? AbortSignal.timeout(LONGEST_MS) : undefined;
    const ended = late ? AbortSignal.any([signal, late]) : signal;
    const work = core.chatFor(by, body, organisation, again ? REFRESH : 0, ended);
    const answer = await within(organisation, deadlineMs, Promise.resolve(work))
      .catch((thrown: unknown) => {
        throw late?.aborted && !signal.aborted ? timedOut() : thrown;
      })
      .finally(() => {
        if (leases) this.ctx.waitUntil(Promise.resolve(core.keepSlices()).catch(() => undefined));
      });
    if (answer.length * 3 > MAX_ANSWER && new TextEncoder().encode(answer).length > MAX_ANSWER) {
      // Asked again it would be as long, and billed again.
      const message = 'The answer is too long to be kept: ask for less, or without the queue.';
      throw failed('invalid_request', 422, message, false);
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

const failed = (code: string, status: number, message: string, shouldRetry: boolean) =>
  new TidegateError({ code, message, status, shouldRetry, attempts: [] });

const timedOut = () => failed('timeout', 504, 'The request took longer than the queue can wait for it.', true);

const ignore = () => {};
