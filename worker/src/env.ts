import { badConfiguration } from './errors';
import type { Figures } from './figures/object';
import { parsed } from './json';
import type { TenantLedger } from './ledger';
import type { Directory } from './organisation/directory';
import type { Organisation } from './organisation/object';
import type { RequestQueue } from './queue/object';

/** What wrangler binds to the Worker; see wrangler.jsonc for each. */
export interface Env {
  DIRECTORY: DurableObjectNamespace<Directory>;
  FIGURES: DurableObjectNamespace<Figures>;
  ORGANISATION: DurableObjectNamespace<Organisation>;
  REQUEST_QUEUE: DurableObjectNamespace<RequestQueue>;
  TENANT_LEDGER: DurableObjectNamespace<TenantLedger>;
  ALLOWED_ORIGINS?: string;
  TIDEGATE_AUTH?: string | Record<string, unknown>;
  TIDEGATE_CONFIG?: string | Record<string, unknown>;
  /** More fields of the same: the platform takes no variable above 5 KB. */
  [name: `TIDEGATE_CONFIG_${string}`]: string | Record<string, unknown> | undefined;
  TIDEGATE_LOG?: string;
  TIDEGATE_MASTER_KEY?: string;
  TIDEGATE_MASTER_KEY_PREVIOUS?: string;
  TIDEGATE_SESSION_KEY?: string;
  TIDEGATE_SHARED_CACHE?: string;
  TIDEGATE_TIER?: string;
  TIDEGATE_TOKEN?: string;
  TIDEGATE_TRAILER?: string;
  TURNSTILE_SECRET?: string;
  /** `<PROVIDER>_API_KEY` and `<PROVIDER>_BASE_URL`. */
  [name: `${string}_API_KEY` | `${string}_BASE_URL`]: string | undefined;
}

/** The variables named `<PROVIDER><suffix>` that are set, by the provider's id: GROQ_API_KEY is groq's. */
function ofProviders(env: Env, suffix: string): [provider: string, value: string][] {
  return Object.entries(env).flatMap(([name, value]) => {
    const set = name.endsWith(suffix) && typeof value === 'string' && value !== '';
    return set ? [[name.slice(0, -suffix.length).toLowerCase(), value] as [string, string]] : [];
  });
}

export const providerKeys = (env: Env) => ofProviders(env, '_API_KEY');

const PART = /^TIDEGATE_CONFIG_[A-Z0-9_]+$/;

/**
 * The gateway's raw configuration, out of TIDEGATE_CONFIG and the variables whose names go on from that. It is validated by
 * the gateway, not here; only what is no JSON is refused, and a field that is there twice.
 */
export function rawConfiguration(env: Env): unknown {
  const config = whole(env);
  const addresses = ofProviders(env, '_BASE_URL');
  if (addresses.length === 0 || !isObject(config)) return config;
  const own = isObject(config.providers) ? config.providers : {};
  const overrides = addresses.map(([id, baseUrl]) => [id, { ...(isObject(own[id]) ? own[id] : {}), baseUrl }]);
  return { ...config, providers: { ...own, ...Object.fromEntries(overrides) } };
}

function whole(env: Env): unknown {
  const config = valueOf('TIDEGATE_CONFIG', env.TIDEGATE_CONFIG);
  const names = Object.keys(env).filter((name) => PART.test(name));
  if (names.length === 0 || !isObject(config)) return config;
  const all = { ...config };
  for (const name of names as `TIDEGATE_CONFIG_${string}`[]) {
    const part = valueOf(name, env[name]);
    if (!isObject(part)) throw badConfiguration(name, 'must be an object');
    for (const [field, value] of Object.entries(part)) {
      if (Object.hasOwn(all, field)) throw badConfiguration(name, `has ${field.slice(0, 64)}, which is elsewhere, too`);
      all[field] = value;
    }
  }
  return all;
}

const valueOf = (name: string, given: unknown = {}): unknown =>
  typeof given === 'string' ? parse(name, given || '{}') : given;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parse(name: string, text: string): unknown {
  let read;
  try {
    read = parsed(text);
  } catch {
    // The text itself stays out of it: somebody may have put a key there.
    throw badConfiguration(name, 'must be JSON');
  }
  if ('twice' in read) throw badConfiguration(name, `has ${read.twice} twice`);
  return read.value;
}
