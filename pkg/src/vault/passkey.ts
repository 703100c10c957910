// Passkeys, in the page: WebAuthn is not to be had in a worker. Only bytes leave here: the passkey's id and what its PRF
// extension answered.

import { ABORTED, invalid, isList, TidegateError } from '../errors.js';
import type { NewSlot, SlotInfo, SlotKey } from './types.js';

type PasskeySlot = Extract<NewSlot, { kind: 'passkey' }>;
type PasskeyKey = Extract<SlotKey, { kind: 'passkey' }>;

/** How a passkey is made. */
export interface PasskeyOptions {
  /** What the authenticator calls it. Default `Tidegate vault`. */
  userName?: string;
  /** Shown beside it. Default the page's host. */
  rpName?: string;
  /** The domain that it is bound to: the page's host, or a suffix of it. Default the page's host. */
  rpId?: string;
  /** Name of the slot. */
  name?: string;
  signal?: AbortSignal;
}

const SALT_BYTES = 16;

const refused = (problem: string, cause?: unknown): TidegateError => {
  const error = invalid('passkey', problem);
  if (cause !== undefined) error.cause = cause;
  return error;
};

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

const bytes = (source: BufferSource): Uint8Array =>
  source instanceof ArrayBuffer
    ? new Uint8Array(source)
    : new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength);

/** Whether this page can ask for passkeys at all. Whether one answers to PRF is known once it was asked. */
export const canUsePasskeys = (): boolean =>
  typeof navigator !== 'undefined' && typeof PublicKeyCredential === 'function' && 'credentials' in navigator;

/**
 * Makes a passkey and asks it once: a slot for `vault.create` or `vault.addSlot`. Asks the person one time, or two where
 * the authenticator answers only afterwards.
 * @throws `invalid_request`, naming the field `passkey`: not available here (an IP address has none), not confirmed, or
 * without PRF; `aborted` once the signal is.
 */
export async function createPasskey(options: PasskeyOptions = {}): Promise<PasskeySlot> {
  if (!canUsePasskeys()) throw refused('is not available in this browser: use a passphrase');
  const salt = random(SALT_BYTES);
  const { userName = 'Tidegate vault', rpName = location.hostname, rpId, name, signal } = options;
  const made = await asked(signal, () =>
    navigator.credentials.create({
      ...(signal && { signal }),
      publicKey: {
        challenge: random(32),
        rp: { name: rpName, ...(rpId !== undefined && { id: rpId }) },
        user: { id: random(16), name: userName, displayName: userName },
        pubKeyCredParams: [
          { type: 'public-key', alg: -7 },
          { type: 'public-key', alg: -8 },
          { type: 'public-key', alg: -257 },
        ],
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
        extensions: { prf: { eval: { first: salt } } },
      },
    }),
  );
  const credential = new Uint8Array(made.rawId);
  const { prf } = made.getClientExtensionResults();
  if (!prf?.enabled && !prf?.results) throw refused('does not support the PRF extension: use another, or a passphrase');
  const answer = prf.results?.first;
  const first = answer ? bytes(answer) : (await ask([{ credential, salt }], options)).prf;
  return { kind: 'passkey', credential, salt, prf: first, ...(name !== undefined && { name }) };
}

/**
 * Asks for one of the vault's passkeys: what `vault.unlock` and `vault.confirm` take. `slots` are of `vault.slots()`.
 * @throws as `createPasskey`.
 */
export async function askPasskey(
  slots: SlotInfo[],
  options: Pick<PasskeyOptions, 'rpId' | 'signal'> = {},
): Promise<PasskeyKey> {
  if (!isList(slots)) throw invalid('slots', 'must be the list that vault.slots() gives');
  const own = slots.flatMap(({ kind, credential, salt }) =>
    kind === 'passkey' && credential && salt ? [{ credential, salt }] : [],
  );
  return ask(own, options);
}

async function ask(
  own: { credential: Uint8Array; salt: Uint8Array }[],
  { rpId, signal }: Pick<PasskeyOptions, 'rpId' | 'signal'>,
): Promise<PasskeyKey> {
  if (!canUsePasskeys()) throw refused('is not available in this browser: use another way in');
  if (own.length === 0) throw refused('is not one of this vault: it has none');
  const answer = await asked(signal, () =>
    navigator.credentials.get({
      ...(signal && { signal }),
      publicKey: {
        challenge: random(32),
        userVerification: 'required',
        ...(rpId !== undefined && { rpId }),
        allowCredentials: own.map(({ credential }) => ({ type: 'public-key', id: credential as BufferSource })),
        extensions: {
          prf: {
            evalByCredential: Object.fromEntries(
              own.map(({ credential, salt }) => [base64url(credential), { first: salt as BufferSource }]),
            ),
          },
        },
      },
    }),
  );
  const first = answer.getClientExtensionResults().prf?.results?.first;
  if (!first) throw refused('did not answer: this browser or passkey has no PRF extension');
  return { kind: 'passkey', credential: new Uint8Array(answer.rawId), prf: bytes(first) };
}

async function asked(
  signal: AbortSignal | undefined,
  ask: () => Promise<Credential | null>,
): Promise<PublicKeyCredential> {
  let answer;
  try {
    answer = await ask();
  } catch (error) {
    if (signal?.aborted) throw new TidegateError(ABORTED);
    const dismissed = error instanceof DOMException && error.name === 'NotAllowedError';
    throw refused(dismissed ? 'was not confirmed: try again' : 'could not be asked on this page', error);
  }
  if (!(answer instanceof PublicKeyCredential)) throw refused('was not given');
  return answer;
}

const base64url = (from: Uint8Array): string =>
  btoa(String.fromCharCode(...from))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
