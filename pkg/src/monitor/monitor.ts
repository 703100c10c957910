// `tidegate/monitor`: looks through a running page for keys, in idle time, and tells the app alone.

import { scan, Scanner, type Finding } from '../web.js';
import { onlyOptions } from '../options.js';
import { itemsOf, type Item, type Place } from './places.js';

export type { Place };

export interface PageFinding extends Finding {
  readonly place: Place;
  /** Words for a person, without the key. */
  readonly where: string;
  /** The node that holds it, if one does. */
  readonly node?: Node;
}

export interface MonitorOptions {
  /** Called once for each key in each place. Nothing else ever hears of it: nothing is sent, stored or logged. */
  readonly onFinding: (finding: PageFinding) => void;
  /** Where to look. Default: everywhere. */
  readonly places?: readonly Place[] | undefined;
  /** Work in one piece of idle time, in milliseconds, 1 to 50. Default: 4. */
  readonly sliceMs?: number | undefined;
  /** Pause between two rounds, in milliseconds, at least 1,000. Default: 60,000. */
  readonly everyMs?: number | undefined;
  /** Also tell keys that are made to be public. Default: false. */
  readonly publishable?: boolean | undefined;
}

export interface Monitor {
  /** Ends when the round that is under way, or else a new one, is through. */
  round(): Promise<void>;
  /** Stops for good; the handler is not called again. */
  stop(): void;
}

const PLACES: readonly Place[] = ['globals', 'scripts', 'storage', 'cookies', 'url', 'dom', 'requests'];
const OPTIONS: Record<keyof MonitorOptions, 0> = {
  onFinding: 0,
  places: 0,
  sliceMs: 0,
  everyMs: 0,
  publishable: 0,
};

/** Texts are looked at together: this many UTF-16 units at a time. */
const BATCH = 16_384;
/** Addresses of requests that are kept for the next round. */
const REQUESTS = 1000;

/**
 * Starts looking. Opt in to it in production knowing that what it reads passes through this page's memory once more.
 * Throws a `RangeError` for a number out of range or a place that there is not, and a `TypeError` for an option that there
 * is not, and where there is no page.
 */
export function monitor(options: MonitorOptions): Monitor {
  const { onFinding, sliceMs = 4, everyMs = 60_000, publishable = false } = options;
  if (typeof document === 'undefined') throw new TypeError('monitor: there is no page here');
  if (typeof onFinding !== 'function') throw new TypeError('monitor: onFinding must be a function');
  if (!(sliceMs >= 1 && sliceMs <= 50)) throw new RangeError('monitor: sliceMs must be from 1 to 50');
  if (!(everyMs >= 1000)) throw new RangeError('monitor: everyMs must be at least 1000');
  const places = new Set<Place>(options.places ?? PLACES);
  const nowhere = [...places].find((place) => !PLACES.includes(place));
  if (nowhere !== undefined) throw new RangeError(`monitor: there is no place ${nowhere}, only ${PLACES.join(', ')}`);
  onlyOptions('monitor', options, OPTIONS);
  const key = crypto.getRandomValues(new Uint8Array(32));
  const told = new Set<string>();
  const requests = watchRequests(places.has('requests'));
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> | undefined;

  const tell = async (found: Finding, { place, where, node }: Item) => {
    // A key in the name of a cookie, or in a path, is not told.
    const words = (await scan(where)).length > 0 ? place : where;
    const name = `${place} ${words} ${found.rule} ${found.fingerprint}`;
    if (stopped || told.has(name)) return;
    told.add(name);
    try {
      onFinding({ ...found, place, where: words, ...(node ? { node } : {}) });
    } catch (error) {
      reportError(error);
    }
  };

  const look = async () => {
    const batch = new Batch();
    let until = await idle(sliceMs);
    const flush = async () => {
      for (const [found, item] of await batch.scan({ key, publishable }, () => pause())) await tell(found, item);
    };
    const pause = async () => {
      if (performance.now() >= until) until = await idle(sliceMs);
    };
    for (const step of itemsOf(places, requests.take())) {
      if (stopped) return;
      const items = step instanceof Promise ? await step : step ? [step] : [];
      for (const item of items) {
        batch.add(item);
        if (batch.size >= BATCH) await flush();
      }
      await pause();
    }
    await flush();
  };

  const round = (): Promise<void> => {
    if (stopped) return Promise.resolve();
    clearTimeout(timer);
    running ??= look()
      .catch(reportError)
      .finally(() => {
        running = undefined;
        if (!stopped) timer = setTimeout(() => void round(), everyMs);
      });
    return running;
  };
  void round();

  return {
    round,
    stop() {
      stopped = true;
      clearTimeout(timer);
      requests.stop();
    },
  };
}

/** Texts from several places, scanned as one. */
class Batch {
  size = 0;
  #items: { start: number; item: Item }[] = [];

  add(item: Item): void {
    this.#items.push({ start: this.size, item });
    this.size += item.text.length + 1;
  }

  /** In pieces, with a pause where the time is up; then it is empty. */
  async scan(
    options: { key: Uint8Array; publishable: boolean },
    pause: () => Promise<void>,
  ): Promise<[Finding, Item][]> {
    const items = this.#items;
    [this.#items, this.size] = [[], 0];
    if (items.length === 0) return [];
    const scanner = await Scanner.create(options);
    const encoder = new TextEncoder();
    const text = items.map(({ item }) => item.text).join('\n');
    const findings: Finding[] = [];
    for (let at = 0; at < text.length; at += BATCH) {
      // Two halves of a pair that is cut count as much as the pair.
      findings.push(...scanner.push(encoder.encode(text.slice(at, at + BATCH))));
      await pause();
    }
    findings.push(...scanner.finish());
    return findings.flatMap((found): [Finding, Item][] => {
      const entry = items.findLast(({ start }) => start <= found.startUtf16);
      return entry ? [[found, entry.item]] : [];
    });
  }
}

/** Waits until the page has time; gives the moment when that time is up. */
const idle = (sliceMs: number): Promise<number> =>
  new Promise((resolve) => {
    // Safari has no idle callbacks.
    if (typeof requestIdleCallback !== 'function') {
      setTimeout(() => resolve(performance.now() + sliceMs), 50);
      return;
    }
    requestIdleCallback(
      (deadline) => resolve(performance.now() + Math.min(sliceMs, Math.max(1, deadline.timeRemaining()))),
      { timeout: 5000 },
    );
  });

/** The addresses of what the page loads, from the browser's own books: nothing is wrapped. */
function watchRequests(wanted: boolean): { take(): string[]; stop(): void } {
  let urls: string[] = [];
  if (!wanted || typeof PerformanceObserver === 'undefined') return { take: () => [], stop: () => undefined };
  const observer = new PerformanceObserver((list) => {
    for (const { name } of list.getEntries()) if (urls.length < REQUESTS) urls.push(name);
  });
  observer.observe({ type: 'resource', buffered: true });
  return {
    take: () => {
      const taken = urls;
      urls = [];
      return taken;
    },
    stop: () => observer.disconnect(),
  };
}
