import { waitUntil } from 'cloudflare:workers';

import type { Answer, Caller, FlatHeaders } from '../../pkg/src/boundary';
import { longestMs, type TidegateConfig } from '../../pkg/src/config';
import { bytesOf, textOf } from './as-text';
import type { Asker } from './auth';
import { keyVariable, providerKeys, rawConfiguration, type Env } from './env';
import { internal, reasonOf } from './errors';
import { objectOf } from './objects';
import { entrusted } from './organisation/keys';
import { reseal } from './organisation/reseal';
import { standingOf } from './organisation/standing';
import { shared } from './shelf';
import { Core, load, wasmBytes } from './wasm';

/** One organisation's gate: its cache, its keys, its records. Money is in the organisation's ledger object. */
export interface Gate {
  readonly core: Caller & {
    status(): Promise<unknown>;
    /** `call` on behalf of a caller, by what `partsOf` makes of it, with its limits. Headers as lines, bodies in bytes. */
    callFor(
      by: string[],
      endpoint: string,
      body: Uint8Array,
      headers: string,
      tenant: string,
      cacheFlags: number,
      ttlMs: number | undefined,
      namespace: string | undefined,
      signal: AbortSignal,
    ): Answer | Promise<Answer>;
    /** A whole chat on behalf of a caller: the answer's JSON. */
    chatFor(
      by: string[],
      body: string,
      organisation: string,
      flags: number,
      signal: AbortSignal,
    ): string | Promise<string>;
    /** Counts a request to a route of the Worker's own; headers for its answer. */
    enter(by: string[], route: string): FlatHeaders | Promise<FlatHeaders>;
    /** To be waited for after an answer of `callFor`: its settlement follows, if no later request takes it along. */
    follow(): Promise<void> | undefined;
    /** To be waited for after a request: gives back leased slices that nobody uses. */
    keepSlices(): Promise<void> | undefined;
    /** What a caller may still do. */
    limitsOf(by: string[]): Promise<Limits>;
  } & Core;
  /** No request takes longer, in milliseconds, unless something of ours has failed. */
  readonly deadlineMs: number;
  /** Whether slices may be leased. */
  readonly leases: boolean;
  /** Keys that cannot be one, by name and problem, never by content. */
  readonly refusedKeys: readonly string[];
  /** Which keys of the organisation's own it has. */
  entrusted: { version: string; providers: readonly string[] };
}

/** One rate of a caller: how many at once, how many of them now, milliseconds until all are there again. */
export interface Rate {
  limit: number;
  remaining: number;
  resetMs: number;
}

/** What a caller may still do. Amounts are whole nano-dollars, times milliseconds. */
export interface Limits {
  requests: Rate;
  /** Only if its tier limits tokens. */
  tokens: Rate | null;
  /** Requests of its organisation that are worked on. */
  inFlight: number;
  /** Every budget that its requests have to fit. */
  budgets: {
    of: 'organisation' | 'user' | 'token';
    per: 'day' | 'week' | 'month';
    limitNanoUsd: number;
    spentNanoUsd: number;
    reservedNanoUsd: number;
    resetsAt: number;
  }[];
}

/** A caller as the gateway takes it. */
export const partsOf = ({ tier, user, token }: Asker): string[] => [tier, user ?? '', token ?? ''];

/** The caller again, of an organisation. */
export const askerOf = (organisation: string, [tier = '', user = '', token = '']: readonly string[]): Asker => ({
  ...{ organisation, tier },
  ...(user !== '' && { user }),
  ...(token !== '' && { token }),
});

/** What a gate may take beyond its own total timeout before it counts as stuck. */
const GRACE_MS = 5_000;

/** How many organisations an isolate serves at once: each has a configuration, keys and a cache. */
const MAX_GATES = 64;

/**
 * Bytes of the isolate's 128 MB, which the Wasm may fill with what gates remember. The platform ends an isolate that needs
 * more, with everybody's requests.
 */
const ROOM_BYTES = 48 * 1024 * 1024;
/** How large the Wasm may grow before room is made in it. */
let roomBytes = ROOM_BYTES;

/** Empties every cache whenever the Wasm has grown past its room. What it has it keeps, and uses for what comes next. */
function makeRoom(): void {
  const bytes = wasmBytes();
  if (bytes <= roomBytes) return;
  roomBytes = bytes;
  for (const { core } of gates.values()) core.clearCache();
}

/**
 * The one thing the isolate keeps between requests, the one used last at its end; nothing of an organisation lies in
 * Wasm statics.
 */
const gates = new Map<string, Gate>();

/**
 * The organisation's gate, opened at first use. The one that was not used for longest is closed when there
 * are too many; what it has begun goes on.
 * @throws the gateway's error object if the configuration is not valid; nothing is kept then.
 */
export function gateOf(organisation: string, env: Env): Gate {
  makeRoom();
  const gate = gates.get(organisation) ?? open(organisation, env);
  gates.delete(organisation);
  gates.set(organisation, gate);
  if (gates.size > MAX_GATES) {
    const [oldest] = gates.keys();
    if (oldest !== undefined) drop(oldest);
  }
  return gate;
}

/**
 * The same with the keys that the organisation gave, as they are now: within the time that an isolate remembers them.
 * @throws also `config_invalid` if there are such keys and no master key to open them.
 */
export async function keyedGateOf(organisation: string, env: Env): Promise<Gate> {
  const standing = await standingOf(organisation, env);
  const gate = gateOf(organisation, env);
  const keys = standing?.keys ?? [];
  const version = keys.map(({ provider, changed }) => `${provider} ${changed}`).join();
  if (gate.entrusted.version === version) return gate;
  // A provider whose key went gets the Worker's again, or none.
  const gone = gate.entrusted.providers.filter((provider) => !keys.some((key) => key.provider === provider));
  for (const provider of gone) {
    const own = providerKeys(env).find(([id]) => id === provider);
    gate.core.removeKey(provider);
    if (own) gate.core.setKey(provider, new TextEncoder().encode(own[1]));
  }
  if (keys.length > 0) {
    const box = entrusted(organisation, env);
    for (const { provider, sealed } of keys) {
      try {
        box.load(gate.core, provider, sealed);
      } catch {
        // Rather none than the operator's, on whose bill it would be.
        gate.core.removeKey(provider);
        console.error('gate: an entrusted key does not open:', organisation, provider);
      }
    }
    box.free();
    if (env.TIDEGATE_MASTER_KEY_PREVIOUS) {
      waitUntil(reseal(organisation, keys, env).catch(() => undefined));
    }
  }
  gate.entrusted = { version, providers: keys.map(({ provider }) => provider) };
  return gate;
}

/** Closes an organisation's gate; the next request opens a new one. */
export function drop(organisation: string): void {
  const gate = gates.get(organisation);
  gates.delete(organisation);
  // The bulk of it goes at once. The rest goes with the object, when nobody holds it any more: to free it by hand would
  // panic while the gate is asked something.
  gate?.core.clearCache();
}

/**
 * What decides for the organisation. Made by itself: a function of `open` would hold what any other there holds, so also
 * the `Core`, and the Wasm holds this one as long as the `Core` lives.
 */
const ledgerOf =
  (organisation: string, env: Env) =>
  async (command: Uint8Array): Promise<Uint8Array> =>
    // A stub for each call: it belongs to the request that is running now, not to the one that opened the gate. An empty
    // reply is none, and is not read as one.
    bytesOf(await objectOf(env.TENANT_LEDGER, organisation).decide(textOf(command), Date.now()));

function open(organisation: string, env: Env): Gate {
  load();
  const config = rawConfiguration(env);
  const core = new Core(config, {
    runtime: 'workerd',
    // Here no promise may wait on another request's: equal requests each go their own way.
    join: false,
    ledger: ledgerOf(organisation, env),
  });
  shared(core, organisation, env);
  const refusedKeys = providerKeys(env).flatMap(([provider, key]) => {
    try {
      core.setKey(provider, new TextEncoder().encode(key));
      return [];
    } catch (refusal) {
      return [`${keyVariable(provider)}: ${reasonOf(refusal)}`];
    }
  });
  return {
    core,
    // Valid by now: the gateway has read it.
    deadlineMs: longestMs(config as TidegateConfig) + GRACE_MS,
    leases: 'leases' in config,
    refusedKeys,
    entrusted: { version: '', providers: [] },
  };
}

/**
 * Waits for the gate, but not for ever: after a panic a promise of Wasm stays pending. A gate that does not
 * answer is dropped, and the next request opens a new one; unless `drop` is false, since a slow ledger is no such gate.
 */
export async function within<T>(organisation: string, deadlineMs: number, answer: Promise<T>, drop = true): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    if (drop) {
      console.error('gate: no answer within its deadline; the next request opens a new one');
      gates.delete(organisation);
    }
    reject(internal());
  }, deadlineMs);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
