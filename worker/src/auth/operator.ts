import type { Env } from '../env';
import { badConfiguration } from '../errors';
import { DEFAULT_ORGANISATION, type Caller } from './caller';

/** The tier of the operator's own requests, unless TIDEGATE_TIER names another. */
const TIER = 'enterprise';

/**
 * Who comes with TIDEGATE_TOKEN: whoever runs the Worker, for the organisation that needs no set-up.
 * @throws `config_invalid` if there is no such token: without one nobody is let in, rather than everybody.
 */
export function operatorOf(given: string[], env: Env): Caller | undefined {
  const token = env.TIDEGATE_TOKEN;
  if (!token)
    throw badConfiguration(
      'TIDEGATE_TOKEN',
      'is not set: wrangler secret put TIDEGATE_TOKEN, or .dev.vars for wrangler dev',
    );
  if (!carriesToken(given, token)) return undefined;
  return {
    organisation: DEFAULT_ORGANISATION,
    token: 'operator',
    tier: env.TIDEGATE_TIER || TIER,
    scopes: ['chat', 'admin', 'operator'],
  };
}

/** Longest token, in bytes. */
const MAX_BYTES = 1_024;

/** Whether the token is among what was given, told in a time that depends on neither. */
function carriesToken(given: string[], token: string): boolean {
  // The token does not change while the isolate lives; whoever reads its memory has the environment, too.
  if (known?.token !== token) known = { token, bytes: padded(token) };
  const { bytes: own } = known;
  if (!own) throw badConfiguration('TIDEGATE_TOKEN', `must not be longer than ${MAX_BYTES} bytes`);
  let found = false;
  for (const text of given) {
    const other = text === '' ? undefined : padded(text, scratch.fill(0));
    // All of them, wherever it was found: the place is not told either.
    if (other) found = crypto.subtle.timingSafeEqual(own, other) || found;
  }
  // No caller's token stays behind.
  scratch.fill(0);
  return found;
}
let known: { token: string; bytes: Uint8Array | undefined } | undefined;
/** Where a request's texts go, one after the other: nothing is awaited meanwhile. Room of their own would be a kilobyte of garbage each. */
const scratch = new Uint8Array(MAX_BYTES + 2);

/**
 * A text as bytes of one length, so that the comparison says nothing about the token's: digests would do the same, but
 * each request would wait for them. How long it is stands behind it, since a text may end in zeros. Nothing for what is
 * too long.
 */
function padded(text: string, bytes = new Uint8Array(MAX_BYTES + 2)): Uint8Array | undefined {
  const { read, written } = encoder.encodeInto(text, bytes);
  // What is written past the end of a text is overwritten here, or was too long.
  bytes[MAX_BYTES] = written >> 8;
  bytes[MAX_BYTES + 1] = written & 0xff;
  return read === text.length && written <= MAX_BYTES ? bytes : undefined;
}
const encoder = new TextEncoder();
