import type { Env } from '../env';
import { badConfiguration } from '../errors';

const KEY_BYTES = 32;

/**
 * The master keys, one after the other: TIDEGATE_MASTER_KEY, then TIDEGATE_MASTER_KEY_PREVIOUS if it is set.
 * @throws `config_invalid` that names the secret: nothing is stored that is not sealed.
 */
export function mastersOf(env: Env): Uint8Array {
  const present = decoded('TIDEGATE_MASTER_KEY', env.TIDEGATE_MASTER_KEY);
  if (!present)
    throw badConfiguration(
      'TIDEGATE_MASTER_KEY',
      'is not set: the queue and organisations’ own keys are sealed with it',
    );
  const previous = decoded('TIDEGATE_MASTER_KEY_PREVIOUS', env.TIDEGATE_MASTER_KEY_PREVIOUS);
  return Uint8Array.of(...present, ...(previous ?? []));
}

function decoded(name: string, value: string | undefined): Uint8Array | undefined {
  if (!value) return undefined;
  try {
    const bytes = Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
    if (bytes.length === KEY_BYTES) return bytes;
  } catch {
    // Told below, without a word of it.
  }
  throw badConfiguration(name, `must be ${KEY_BYTES} random bytes in base64: openssl rand -base64 32`);
}
