import { waitUntil } from 'cloudflare:workers';

import { homeOf } from './auth/token';
import type { Env } from './env';
import { badConfiguration } from './errors';
import { WAIT_MS, type Boarded } from './organisation/flights';
import { organisationOf } from './organisation/standing';
import { mastersOf } from './queue/masters';
import type { Core } from './wasm';

/** Which answers isolates share: none; those in the cache of the place they run in; also those that are asked for now. */
const WAYS = ['off', 'cache', 'single-flight'] as const;
export type Way = (typeof WAYS)[number];

const CACHE = 'tidegate-answers';
/** Longest look into the cache, in milliseconds: a provider may be quicker than a cache that does not answer. */
const LOOK_MS = 1_000;

/**
 * What TIDEGATE_SHARED_CACHE asks for; `no-master-key` where it cannot be had: nothing is shared that is not sealed.
 * @throws `config_invalid` for another word.
 */
export function wayOf({ TIDEGATE_SHARED_CACHE, TIDEGATE_MASTER_KEY }: Env): Way | 'no-master-key' {
  const way = WAYS.find((one) => one === (TIDEGATE_SHARED_CACHE || 'off'));
  if (!way) throw badConfiguration('TIDEGATE_SHARED_CACHE', `must be one of ${WAYS.join(', ')}`);
  return way === 'off' || TIDEGATE_MASTER_KEY ? way : 'no-master-key';
}

/** Lets an organisation's gate share answers, if that is wanted. Which and for how long, the gate decides. */
export function shared(core: Core, organisation: string, env: Env): void {
  const way = wayOf(env);
  if (way === 'off' || way === 'no-master-key') return;
  const flights = () => organisationOf(organisation, env);
  /** Names that this isolate asks for, while others may wait for them. */
  const leading = new Set<string>();
  const land = (name: string, entry?: Uint8Array) => {
    if (!leading.delete(name)) return;
    // Those who wait do so for a while only; if they are not told, they ask for themselves.
    waitUntil(
      flights()
        .then((object) => object.land(name, entry))
        .catch(ignore),
    );
  };

  const find = async (name: string, waits: boolean): Promise<Uint8Array | undefined> => {
    const found = await timely(read(organisation, name), LOOK_MS);
    if (found || !waits || way === 'cache') return found;
    const boarded = await timely((async (): Promise<Boarded> => (await flights()).board(name))(), WAIT_MS + LOOK_MS);
    if (boarded?.leads) leading.add(name);
    return boarded?.entry;
  };
  const keep = (name: string, entry: Uint8Array, ttlMs: number) => {
    land(name, entry);
    waitUntil(write(organisation, name, entry, ttlMs).catch(ignore));
  };
  core.shareAnswers(mastersOf(env).subarray(0, 32), organisation, find, keep, land);
}

/**
 * A host that requests came to: the cache wants its keys below one of the Worker's own, and looks others up first. None
 * until a request came, as in an isolate that only runs objects.
 */
let host: string | undefined;
/** Whether it need not be looked for any more: on the platform's own domain the cache keeps nothing. */
let isFound = false;

/** To be told of each request, by its address. */
export function came(url: string): void {
  if (isFound) return;
  ({ host } = new URL(url));
  isFound = !host.endsWith('.workers.dev');
}

/** Where the keys lie. */
export const cacheHost = () => host;

const addressOf = async (organisation: string, name: string) =>
  `https://${host}/.tidegate/answers/${await homeOf(organisation)}/${name}`;

async function read(organisation: string, name: string): Promise<Uint8Array | undefined> {
  if (host === undefined) return undefined;
  const found = await (await caches.open(CACHE)).match(await addressOf(organisation, name));
  return found && new Uint8Array(await found.arrayBuffer());
}

async function write(organisation: string, name: string, entry: Uint8Array, ttlMs: number): Promise<void> {
  if (host === undefined) return;
  const headers = { 'cache-control': `max-age=${Math.max(1, Math.ceil(ttlMs / 1_000))}` };
  await (
    await caches.open(CACHE)
  ).put(await addressOf(organisation, name), new Response(entry as BodyInit, { headers }));
}

/** What comes of it in time; nothing otherwise, also if it fails. */
async function timely<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, ms);
  try {
    return await Promise.race([work, promise]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

const ignore = () => {};
