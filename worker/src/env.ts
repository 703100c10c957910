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

/** Where a provider's key is. No name of a variable has a dash. */
export const keyVariable = (provider: string): string => `${provider.toUpperCase().replaceAll('-', '_')}_API_KEY`;

/**
 * The variables named `<PROVIDER><suffix>` that are set, by the provider's id: GROQ_API_KEY is groq's, MY_LLM_API_KEY
 * my-llm's if the configuration has that one.
 */
function ofProviders(env: Env, suffix: string, config: unknown): [provider: string, value: string][] {
  const dashed = Object.keys(providersOf(config)).filter((id) => id.includes('-'));
  return Object.entries(env).flatMap(([name, value]) => {
    if (!name.endsWith(suffix) || typeof value !== 'string' || value === '') return [];
    const id = name.slice(0, -suffix.length).toLowerCase();
    return [[dashed.find((one) => one.replaceAll('-', '_') === id) ?? id, value] as [string, string]];
  });
}

const providersOf = (config: unknown): Record<string, unknown> =>
  isObject(config) && isObject(config.providers) ? config.providers : {};

/** @throws as {@link rawConfiguration} does. */
export const providerKeys = (env: Env) => ofProviders(env, '_API_KEY', whole(env));

const PART = 'TIDEGATE_CONFIG_';

/**
 * The gateway's raw configuration, out of TIDEGATE_CONFIG and the variables whose names go on from that. It is validated by
 * the gateway, not here; only what is no JSON object is refused, and a field that is there twice.
 */
export function rawConfiguration(env: Env): Record<string, unknown> {
  const config = whole(env);
  const addresses = ofProviders(env, '_BASE_URL', config);
  if (addresses.length === 0) return config;
  const own = providersOf(config);
  const overrides = addresses.map(([id, baseUrl]) => [id, { ...(isObject(own[id]) ? own[id] : {}), baseUrl }]);
  return { ...config, providers: { ...own, ...Object.fromEntries(overrides) } };
}

function whole(env: Env): Record<string, unknown> {
  const config = valueOf('TIDEGATE_CONFIG', env.TIDEGATE_CONFIG);
  const names = Object.keys(env).filter((name) => name.startsWith(PART));
  if (names.length === 0) return config;
  const all = { ...config };
  for (const name of names as `TIDEGATE_CONFIG_${string}`[]) {
    const part = valueOf(name, env[name]);
    for (const [field, value] of Object.entries(part)) {
      if (Object.hasOwn(all, field)) throw badConfiguration(name, `has ${field.slice(0, 64)}, which is elsewhere, too`);
      all[field] = value;
    }
  }
  return all;
}

function valueOf(name: string, given: unknown): Record<string, unknown> {
  const value = typeof given === 'string' ? parse(name, given || '{}') : (given ?? {});
  if (!isObject(value)) throw badConfiguration(name, 'must be an object');
  return value;
}

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
