/**
 * The gateway's own API tokens: `tg_live_`, 16 letters that say which object keeps it, 43 letters of 256 random bits.
 * One shape and one length, so that whoever scans for secrets can name it.
 */
const PREFIX = 'tg_live_';
const SHAPE = /^tg_live_([0-9A-Za-z]{16})[0-9A-Za-z]{43}$/;
const HOME = 16;

/** 256 bits in the letters that a double click selects as one word, always 43 of them. */
const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LENGTH = 43;

function base62(bytes: Uint8Array): string {
  let number = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  let text = '';
  while (text.length < LENGTH) {
    text = `${LETTERS[Number(number % 62n)]}${text}`;
    number /= 62n;
  }
  return text;
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

/**
 * The name of an organisation's object: 95 bits of a hash, so that a token says nothing of whom it belongs to, and
 * leads to its object in one hop.
 */
export async function homeOf(organisation: string): Promise<string> {
  const known = homes.get(organisation);
  if (known !== undefined) return known;
  const home = base62(await sha256(organisation)).slice(-HOME);
  if (homes.size >= MAX_HOMES) homes.clear();
  homes.set(organisation, home);
  return home;
}
/** Each request asks for one or more, and they never change. */
const homes = new Map<string, string>();
const MAX_HOMES = 10_000;

/** Where a token would be kept; nothing for what is no token of ours. */
export const homeIn = (token: string): string | undefined => SHAPE.exec(token)?.[1];

/** A new token. This is the only time that anybody sees it. */
export const newToken = (home: string): string =>
  `${PREFIX}${home}${base62(crypto.getRandomValues(new Uint8Array(32)))}`;

/** What is kept of a token. 256 random bits cannot be guessed from it, so it needs no salt. */
export async function hashOf(token: string): Promise<string> {
  return [...(await sha256(token))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
