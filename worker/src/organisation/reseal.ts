import type { Env } from '../env';
import { entrusted, type Replacement, type SealedKey } from './keys';
import { organisationOf } from './standing';

/** What became of an organisation's keys. */
export interface Resealed {
  /** How many an earlier master key had sealed, and the present one has now. */
  resealed: number;
  /** Providers whose keys no master key opens. They are left as they are. */
  unreadable: string[];
}

/**
 * Seals anew what an earlier master key sealed. Here and not in the object: that may still have the secrets of the version
 * before, and would find nothing to do.
 */
export async function reseal(organisation: string, keys: readonly SealedKey[], env: Env): Promise<Resealed> {
  const [anew, unreadable]: [Replacement[], string[]] = [[], []];
  const box = entrusted(organisation, env);
  try {
    for (const { provider, sealed: last } of keys) {
      try {
        const sealed = box.reseal(provider, last);
        if (sealed) anew.push({ provider, last, sealed });
      } catch {
        console.error('keys: one does not open under any master key:', organisation, provider);
        unreadable.push(provider);
      }
    }
  } finally {
    box.free();
  }
  if (anew.length > 0) await (await organisationOf(organisation, env)).replaceKeys(anew);
  return { resealed: anew.length, unreadable };
}
