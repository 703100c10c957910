// Where in a page a key can lie. Each place gives texts with words for where they were; nothing here changes the page,
// calls a getter, or goes to the network.

import { databases } from './databases.js';

/**
 * A part of the page. `storage` is localStorage, sessionStorage, and of 32 databases in IndexedDB the first 1,000 records of
 * each store. `globals` are data that hang on `window`, six deep. `scripts` are those in the page, and those of its origin
 * that the browser still has. `requests` are the addresses of what the page loaded, up to 1,000 of them a round.
 */
export type Place = 'globals' | 'scripts' | 'storage' | 'cookies' | 'url' | 'dom' | 'requests';

export interface Item {
  readonly place: Place;
  /** Words for a person, such as `localStorage: settings`. */
  readonly where: string;
  readonly text: string;
  readonly node?: Node;
}

/** Something to wait for between two pieces of work, or nothing to look at just now. */
type Step = Item | Promise<Item[]> | undefined;

export function* itemsOf(places: ReadonlySet<Place>, requests: readonly string[]): Generator<Step> {
  if (places.has('url')) yield* addresses();
  if (places.has('cookies')) yield* cookies();
  if (places.has('storage')) yield* storage();
  if (places.has('requests')) for (const url of requests) yield { place: 'requests', where: hostOf(url), text: url };
  if (places.has('globals')) yield* globals();
  if (places.has('scripts')) yield* scripts();
  if (places.has('dom')) yield* dom();
}

function* addresses(): Generator<Item> {
  yield { place: 'url', where: 'the address of the page', text: location.href };
  if (document.referrer !== '') yield { place: 'url', where: 'document.referrer', text: document.referrer };
}

function* cookies(): Generator<Item> {
  for (const part of document.cookie.split('; ')) {
    const [name = '', ...value] = part.split('=');
    if (part !== '') yield { place: 'cookies', where: `cookie: ${name}`, text: value.join('=') };
  }
}

function* storage(): Generator<Step> {
  for (const kind of ['localStorage', 'sessionStorage'] as const) {
    const store = attempt(() => window[kind]); // reading it can be forbidden
    const names = attempt(() => Object.keys(store ?? {})) ?? [];
    for (const name of names) {
      const text = attempt(() => store?.getItem(name));
      if (text != null) yield { place: 'storage', where: `${kind}: ${name}`, text: `${name}\n${text}` };
    }
  }
  yield* databases();
}

/** How far into objects that hang on `window`. */
const DEPTH = 6;
const OBJECTS = 20_000;

/** Texts that any script can reach by name: what server-side rendering leaves, configurations, debugging aids. */
function* globals(): Generator<Step> {
  const seen = new WeakSet<object>([window, document]);
  const queue: { value: object; path: string; depth: number }[] = [{ value: window, path: 'window', depth: 0 }];
  for (let count = 0; queue.length > 0 && count < OBJECTS; count += 1) {
    const next = queue.shift();
    if (!next) return;
    for (const name of attempt(() => Object.getOwnPropertyNames(next.value)) ?? []) {
      // Never by access: a getter is somebody's code.
      const value: unknown = attempt(() => Object.getOwnPropertyDescriptor(next.value, name))?.value;
      const path = `${next.path}.${name}`;
      if (typeof value === 'string') {
        if (value.length > 7) yield { place: 'globals', where: path, text: value };
      } else if (
        typeof value === 'object' &&
        value !== null &&
        next.depth < DEPTH &&
        !seen.has(value) &&
        isData(value)
      ) {
        seen.add(value);
        queue.push({ value, path, depth: next.depth + 1 });
      }
    }
    yield undefined;
  }
}

/** Arrays and plain objects, of this page or of a frame. */
function isData(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = attempt(() => Object.getPrototypeOf(value));
  return prototype === null || prototype === Object.prototype;
}

/** Scripts in the page, and those of this origin as far as they lie in the cache. */
function* scripts(): Generator<Step> {
  for (const [index, script] of [...document.scripts].entries()) {
    const text = script.textContent;
    if (text !== '') yield { place: 'scripts', where: `inline script ${index + 1}`, text, node: script };
  }
  const loaded = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
  const urls = new Set(
    loaded
      .filter(({ initiatorType, name }) => initiatorType === 'script' || /\.m?js(?:\?|$)/u.test(name))
      .map(({ name }) => name)
      .filter((name) => attempt(() => new URL(name).origin) === location.origin),
  );
  for (const url of urls) {
    yield fetch(url, { cache: 'only-if-cached', mode: 'same-origin' })
      .then(async (response): Promise<Item[]> =>
        response.ok ? [{ place: 'scripts', where: pathOf(url), text: await response.text() }] : [],
      )
      .catch(() => []);
  }
}

function* dom(): Generator<Step> {
  const walker = document.createTreeWalker(
    document,
    NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT | NodeFilter.SHOW_COMMENT,
  );
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node instanceof Element) {
      for (const { name, value } of node.attributes) {
        if (value.length > 7) yield { place: 'dom', where: `${pathTo(node)} [${name}]`, text: value, node };
      }
    } else if (node.nodeValue !== null && node.nodeValue.length > 7 && node.parentElement?.localName !== 'script') {
      yield { place: 'dom', where: pathTo(node.parentElement), text: node.nodeValue, node };
    }
  }
}

/** The last three steps to an element. */
function pathTo(element: Element | null): string {
  const steps: string[] = [];
  for (let at = element; at && steps.length < 3; at = at.parentElement) {
    steps.unshift(at.id === '' ? at.localName : `${at.localName}#${at.id}`);
    if (at.id !== '') break;
  }
  return steps.join(' > ') || 'document';
}

const hostOf = (url: string): string => `request to ${attempt(() => new URL(url).host) ?? 'an address'}`;
const pathOf = (url: string): string => attempt(() => new URL(url).pathname) ?? 'a script';

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
