// What the three entries (web, node, workerd) differ in.

import type { Build } from './build.js';
import { internal, notLoaded } from './errors.js';
import type { TidegateConfig } from './types.js';
import type { Storage } from './storage/storage.js';
import type { PresenceSign } from './vault/presence.js';

/** The generated glue of the gateway's Wasm: what every build has of it once it is loaded. */
export type Glue = Omit<typeof import('../wasm/tidegate.js'), keyof Split | 'default' | 'initSync'>;

/** See `Platform`. */
export interface Parts {
  load(): Promise<Glue>;
  rest(): Promise<void> | undefined;
  broken(): Error | undefined;
}

/** Derives a slot key from a passphrase in a Wasm instance that is dropped afterwards. */
export type Derive = (
  passphrase: Uint8Array,
  salt: Uint8Array,
  memoryKib: number,
  passes: number,
  lanes: number,
) => Promise<Uint8Array>;

/** One runtime. */
export interface Platform {
  readonly runtime: 'web' | 'node' | 'workerd';
  /** Loads the gateway's Wasm, once: this build, or one that has more. */
  load(build: Build): Promise<Glue>;
  /**
   * Loads what a build leaves for after the first answer; nothing once it is here, or where there is none, as of the build
   * with the queue. Absent where `load` loads all at once.
   */
  rest?(build: Build): Promise<void> | undefined;
  /** Why nothing may be asked of a build any more: its rest was needed at once and could not be had. */
  broken?(build: Build): Error | undefined;
  /** Loads the scripts of what a first plain answer does not need; once it is here, the same. */
  later(): Promise<typeof import('./later.js')>;
  /** Argon2id; loaded only when a passphrase is used. */
  derive: Derive;
  /** The queue's code, loaded only when one is configured; absent where there is none. */
  queue?(): Promise<typeof import('./queue/tab.js')>;
  /** Tells of each sign of a person until it is stopped; absent where a gate sees none. */
  watchPresence?(tell: (sign: PresenceSign) => void): () => void;
  /** What is wrong with the ledger that is asked for, if there is none such here: elsewhere money is not counted unasked. */
  noLedger(ledger: TidegateConfig['ledger']): string | undefined;
  /** Opens what keeps ledger, vault and cache of the gate of this name. */
  open(name: string, ledger: TidegateConfig['ledger'], decider: Decide): Promise<Storage>;
}

/** Decides in the middle of a storage's own transaction: snapshot to store (undefined: unchanged) and reply. */
export type Decide = (snapshot: Uint8Array | undefined, command: Uint8Array) => [Uint8Array | undefined, Uint8Array];

/** The glue of what waits for the rest (scripts/split-glue.mjs). */
export type RestGlue = typeof import('../wasm/tidegate-rest.js');

/** What scripts/split-wasm.mjs adds to the glue of a build that is cut in two. */
interface Split {
  /** What the rest takes, once the first part is there. */
  imports(): WebAssembly.Imports;
  onMissing(load: () => void): void;
  /** Takes the rest's exports in. */
  joined(rest: WebAssembly.Instance): void;
  /** Takes the rest's glue in, once the rest is joined. */
  completed(rest: RestGlue): void;
}

/**
 * A build in its two parts (scripts/split-wasm.mjs). `rest` is where the second lies, `more` loads its glue.
 */
export function inTwoParts(load: () => Promise<Glue>, rest: () => string | URL, more: () => Promise<RestGlue>): Parts {
  // The place's own fetch: an app may put `gate.fetch` there later, which waits for what is fetched here.
  let real: typeof fetch;
  let joined = false;
  let here = false;
  let broken: Error | undefined;
  const first = once(async () => {
    real = globalThis.fetch.bind(globalThis);
    const glue = extensible(await load().catch(notLoaded));
    onMissing(
      glue,
      () => readNow(rest()),
      (cause) => {
        if (cause === undefined) return void (joined = true);
        const trap = new WebAssembly.RuntimeError(String(cause));
        throw (broken = internal('The rest of the gateway could not be loaded: reload the page.', trap));
      },
    );
    return glue;
  });
  const second = once(async () => {
    const bytes = async () => {
      if (joined) return undefined;
      const response = await real(rest());
      if (!response.ok) throw new TypeError(`The rest of the gateway is not at ${response.url}.`);
      return response.arrayBuffer();
    };
    await joinRest(await first(), bytes, more);
    here = true;
  });
  return { load: first, rest: () => (here ? undefined : second()), broken: () => broken };
}

/** Glue that more can be added to: a module cannot be changed. */
export const extensible = (glue: Glue): Glue => ({ ...glue });

/**
 * Joins the rest to the part that is loaded: one memory, one table. `rest` gives nothing where it is joined already, and only
 * its glue, `more`, is missing. A build that was not cut in two is whole already.
 */
export async function joinRest(
  glue: Glue,
  rest: () => Promise<BufferSource | undefined>,
  more: () => Promise<RestGlue>,
): Promise<void> {
  const { imports, joined, completed } = glue as Partial<Split>;
  if (!imports) return;
  const [bytes, own] = await Promise.all([rest(), more()]);
  if (bytes) joined?.((await WebAssembly.instantiate(bytes, imports())).instance);
  completed?.(own);
  Object.assign(glue, { ...own, ...glue });
}

/**
 * Joins the rest in the middle of a call that needs it and before which nobody awaited it: what is rare does not load
 * first. `done` is told what was wrong, if anything. What it throws ends the call, and the instance with it, as a trap would.
 */
export function onMissing(glue: Glue, rest: () => BufferSource, done: (wrong?: unknown) => void = rethrow): void {
  const { imports, onMissing, joined } = glue as Partial<Split>;
  onMissing?.(() => {
    try {
      joined?.(new WebAssembly.Instance(new WebAssembly.Module(rest()), imports?.()));
    } catch (wrong) {
      return done(wrong);
    }
    done();
  });
}

function rethrow(wrong: unknown): void {
  if (wrong !== undefined) throw wrong;
}

/** Bytes at an address, while everything waits. Read as a text of bytes: a page allows nothing else. */
function readNow(url: string | URL): Uint8Array<ArrayBuffer> {
  const request = new XMLHttpRequest();
  request.open('GET', url, false);
  request.overrideMimeType('text/plain; charset=x-user-defined');
  request.send();
  if (request.status !== 200) throw new TypeError(`The rest of the gateway is not at ${String(url)}.`);
  return Uint8Array.from(request.responseText, (letter) => letter.charCodeAt(0) & 0xff);
}

/** Remembers the one loading; a failed one may be tried again. */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () =>
    (loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    }));
}
