// Browsers. Bundlers see `new URL('…', import.meta.url)` and ship the files; nothing happens at import. What a page loads
// of the gateway itself is loaded when it is needed: by default a worker loads it.

import { buildFor, type Build } from './build.js';
import {
  detector,
  type Finding,
  type KeyRule,
  type RedactOptions,
  type Redaction,
  type Scanner as KeyScanner,
  type ScanOptions,
} from './detect.js';
import { notLoaded, toError } from './errors.js';
import type { Gate } from './gate.js';
import { misplaced, placeOf } from './isolation/place.js';
import { RemoteGate } from './isolation/remote.js';
import { workerRealm, type Addresses } from './isolation/start.js';
import { openOnce } from './opened.js';
import type { TidegateConfig, TidegateHooks } from './types.js';

// The worker is not written as bundlers want workers: they would build it anew, each in its own way. It is one finished
// file, taken along as it is, and told where the Wasm lies.
const workers = (): Record<Build, URL> => ({
  chat: new URL('./worker.js', import.meta.url),
  dialects: new URL('./worker-dialects.js', import.meta.url),
  all: new URL('./worker-all.js', import.meta.url),
});
const gateways = (): Record<Build, URL> => ({
  chat: new URL('../wasm/tidegate_bg.wasm', import.meta.url),
  dialects: new URL('../wasm/tidegate-dialects_bg.wasm', import.meta.url),
  all: new URL('../wasm/tidegate-all_bg.wasm', import.meta.url),
});
// The build with the queue is whole: what the small one's worker loads later is all that it needs.
const rests = (build: Build) =>
  build === 'dialects'
    ? new URL('../wasm/tidegate-dialects-rest_bg.wasm', import.meta.url)
    : new URL('../wasm/tidegate-rest_bg.wasm', import.meta.url);
const laters = (build: Build) =>
  build === 'dialects'
    ? new URL('./worker-dialects-later.js', import.meta.url)
    : new URL('./worker-later.js', import.meta.url);
const addresses = (build: Build): Addresses => ({
  worker: workers()[build],
  gateway: gateways()[build],
  rest: rests(build),
  kdf: new URL('../wasm/kdf_bg.wasm', import.meta.url),
  later: laters(build),
});

/** A worker of the app's own is away from the page already. */
const levelOf = (isolation: TidegateConfig['isolation']) =>
  isolation ?? (typeof document === 'undefined' ? 'page' : 'worker');

async function make(config: TidegateConfig, hooks: TidegateHooks, forget: () => void): Promise<Gate> {
  const [place, rest, wrong] = placeOf(config);
  const level = levelOf(place.isolation);
  // The page, too, where there is no such place: there all is told that is wrong.
  if (level === 'page' || wrong.length > 0) {
    const page = await import('./page.js').catch(notLoaded);
    return page.make(config, hooks, forget);
  }
  for (const [hook, given] of Object.entries(hooks)) {
    const isJoin = hook === 'join';
    if (given == null || hook === 'container' || (isJoin && typeof given === 'boolean')) continue;
    throw misplaced([{ path: `hooks.${hook}`, problem: isJoin ? 'must be true or false' : "needs isolation: 'page'" }]);
  }
  if (level === 'frame') {
    const { frameRealm } = await import('./isolation/embed.js').catch(notLoaded);
    const { isolation: _level, frameUrl, ...others } = config;
    return RemoteGate.open((heard) => Promise.resolve(frameRealm(frameUrl, others, hooks.container, heard)), forget);
  }
  return RemoteGate.open(
    (heard) => Promise.resolve(workerRealm(addresses(buildFor(rest)), rest, place, hooks.join ?? undefined, heard)),
    forget,
  );
}

/** A gate: `await Tidegate.open(config)`. */
export const Tidegate = {
  /**
   * Opens the gate of `config.name`; the same one, if it is open with the same configuration. Another takes its place.
   * @throws `config_invalid`, which names every field that is wrong; `isolation_failed` where no worker or frame can be
   * had; `internal` where a file of the package cannot be loaded.
   */
  open: (config: TidegateConfig = {}, hooks: TidegateHooks = {}): Promise<Gate> =>
    openOnce(config, (forget) =>
      make(config, hooks ?? {}, forget).catch((error: unknown) => {
        throw toError(error);
      }),
    ),
};
export type Tidegate = Gate;

/**
 * Loads the Wasm ahead of `open`: the build that `config` needs, to where it will run.
 * @throws `internal` where it cannot be loaded.
 */
export async function init(config: TidegateConfig = {}): Promise<void> {
  const { isolation, workerUrl } = config ?? {};
  const build = buildFor(config ?? {});
  if (levelOf(isolation) === 'page')
    return void (await (await import('./page.js').catch(notLoaded)).platform.load(build));
  // Into the browser's cache, which the worker shares.
  const { worker, gateway } = addresses(build);
  const load = async (url: string | URL) => (await fetch(url)).arrayBuffer();
  await Promise.all([workerUrl ?? worker, gateway].map(load)).catch(notLoaded);
}

// In the page itself: what is scanned is there already. Marked as pure, so that bundlers leave out what nobody asks for.
const keys = /* @__PURE__ */ detector(async (all) => {
  const { platform } = await import('./page.js').catch(notLoaded);
  const glue = await platform.load(all ? 'all' : 'chat');
  if (!all) await platform.rest?.('chat');
  return glue;
});

/** Finds the keys in a text, or in bytes of UTF-8, in its order. */
export const scan = (input: string | Uint8Array, options?: ScanOptions): Promise<Finding[]> =>
  keys.scan(input, options);

/** Takes the keys out of a text: for good, for logs, or so that they can be put back, for prompts. */
export const redact = (text: string, options?: RedactOptions): Promise<Redaction> => keys.redact(text, options);

/** Every kind of key that is known, for documentation and tools. */
export const rules = (): Promise<KeyRule[]> => keys.rules();

/** Scans what comes in chunks: `await Scanner.create(options)`. */
export const Scanner = { create: (options?: ScanOptions): Promise<KeyScanner> => keys.create(options) };
export type Scanner = KeyScanner;

export * from './exports.js';
export { askPasskey, canUsePasskeys, createPasskey, type PasskeyOptions } from './vault/passkey.js';
