// The vault's format, read and written anew with nothing but WebCrypto: what is stored does not depend on the Wasm.

const { subtle } = globalThis.crypto;
const MAGIC = [...new TextEncoder().encode('TGVT')];
const FORMAT = 2;
const KINDS = { vaultKey: 1, contentKey: 2, providerKey: 3 };

const utf8 = (text) => [...new TextEncoder().encode(text)];
const uint = (value) => {
  const bytes = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    if (rest < 128n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 127n) | 128);
  }
};
const int = (value) => uint(BigInt(value) * 2n); // none of ours is negative
const sized = (bytes) => [...uint(bytes.length), ...bytes];
const random = (length) => crypto.getRandomValues(new Uint8Array(length));

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  raw(length) {
    if (this.at + length > this.bytes.length) throw new Error('too short');
    return this.bytes.slice(this.at, (this.at += length));
  }
  byte = () => this.raw(1)[0];
  uint() {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(value);
    }
  }
  int = () => this.uint() / 2;
  sized = () => this.raw(this.uint());
  text = () => new TextDecoder().decode(this.sized());
}

const hkdf = async (secret, salt, purpose, label) => {
  const key = await subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  const info = Uint8Array.from([...sized(utf8('tidegate')), FORMAT, ...sized(utf8(purpose)), ...sized(label)]);
  return new Uint8Array(await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, 256));
};

const aadOf = ({ vault, record, version, provider, origin, addedAt, kind }) =>
  Uint8Array.from([
    ...MAGIC,
    FORMAT,
    1, // AES-256-GCM
    ...vault,
    ...record,
    ...uint(version),
    ...sized(utf8(provider)),
    ...sized(utf8(origin)),
    ...int(addedAt),
    kind,
  ]);

async function unseal(key, header, bytes) {
  const reader = new Reader(bytes);
  const start = [...reader.raw(6)];
  if (String(start) !== String([...MAGIC, FORMAT, 1])) throw new Error('not an envelope');
  const iv = reader.raw(12);
  const cipher = await subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
  const algorithm = { name: 'AES-GCM', iv, additionalData: aadOf(header) };
  const padded = new Uint8Array(await subtle.decrypt(algorithm, cipher, bytes.slice(18)));
  if (padded.length % 64 !== 0) throw new Error('not padded');
  return padded.slice(8, 8 + Number(new DataView(padded.buffer).getBigUint64(0, true)));
}

async function seal(key, header, plaintext) {
  const padded = new Uint8Array(Math.ceil((8 + plaintext.length) / 64) * 64);
  new DataView(padded.buffer).setBigUint64(0, BigInt(plaintext.length), true);
  padded.set(plaintext, 8);
  const iv = random(12);
  const cipher = await subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
  const sealed = await subtle.encrypt({ name: 'AES-GCM', iv, additionalData: aadOf(header) }, cipher, padded);
  return [...MAGIC, FORMAT, 1, ...iv, ...new Uint8Array(sealed)];
}

const checksum = async (bytes) => new Uint8Array(await subtle.digest('SHA-256', Uint8Array.from(bytes))).slice(0, 16);
const framed = async (bytes) => Uint8Array.from([...bytes, ...(await checksum(bytes))]);

async function opened(what, bytes) {
  const content = bytes.slice(0, -16);
  if (String(await checksum(content)) !== String(bytes.slice(-16))) throw new Error('damaged');
  const reader = new Reader(content);
  if (String([...reader.raw(6)]) !== String([...MAGIC, FORMAT, what])) throw new Error('another kind of frame');
  return reader;
}

/** A header, with the checksum set right after a change. */
export const resummed = (bytes) => framed(bytes.slice(0, -16));

export async function readHeader(bytes) {
  const reader = await opened(1, bytes);
  const vault = reader.raw(16);
  const epoch = reader.uint();
  const slots = [];
  for (let count = reader.uint(); count > 0; count -= 1) {
    const encoded = reader.sized();
    const slot = new Reader(encoded);
    const [id, kind, name, addedAt] = [slot.raw(16), slot.byte(), slot.text(), slot.int()];
    const [memoryKib, passes, lanes] = [slot.uint(), slot.uint(), slot.uint()];
    const [salt, credential] = [slot.raw(16), slot.sized()];
    const commitment = reader.raw(16);
    const sealed = reader.sized();
    slots.push({ encoded, id, kind, name, addedAt, memoryKib, passes, lanes, salt, credential, commitment, sealed });
  }
  const slotsEnd = reader.at;
  const index = [];
  for (let count = reader.uint(); count > 0; count -= 1) {
    index.push({ provider: reader.text(), record: reader.raw(16), version: reader.uint() });
  }
  const covered = reader.bytes.slice(0, reader.at);
  return { vault, epoch, slots, slotsEnd, index, covered, mac: reader.raw(32) };
}

/** The vault key that a slot's secret opens. */
export async function vaultKey({ vault, epoch }, slot, secret) {
  const label = [...slot.id, slot.kind];
  const commitment = (await hkdf(secret, vault, 'slot-commitment', label)).slice(0, 16);
  if (String(commitment) !== String(slot.commitment)) throw new Error('another secret');
  const { id: record, addedAt } = slot;
  const header = { vault, record, version: epoch, provider: '', origin: '', addedAt, kind: KINDS.vaultKey };
  return unseal(await hkdf(secret, vault, 'slot-wrap', label), header, slot.sealed);
}

export async function macOf(key, vault, covered) {
  const raw = await hkdf(key, vault, 'header-mac', []);
  const hmac = await subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await subtle.sign('HMAC', hmac, covered));
}

export async function openRecord(key, bytes) {
  const reader = await opened(2, bytes);
  const [vault, record, provider, version] = [reader.raw(16), reader.raw(16), reader.text(), reader.uint()];
  const [origin, addedAt] = [reader.text(), reader.int()];
  const [wrapped, sealed] = [reader.sized(), reader.sized()];
  const header = { vault, record, version, provider, origin, addedAt, kind: KINDS.providerKey };
  const wrap = await hkdf(key, vault, 'record-wrap', [...record]);
  const contentKey = await unseal(wrap, { ...header, kind: KINDS.contentKey }, wrapped);
  return { ...header, key: new TextDecoder().decode(await unseal(contentKey, header, sealed)) };
}

/** A record that this file seals, and the header whose index names it. */
export async function writeRecord(key, { vault, slotsEnd, covered }, { provider, origin, text }) {
  const [record, contentKey] = [random(16), random(32)];
  const header = { vault, record, version: 7, provider, origin, addedAt: 1_700_000_000_000, kind: KINDS.providerKey };
  const wrap = await hkdf(key, vault, 'record-wrap', [...record]);
  const wrapped = await seal(wrap, { ...header, kind: KINDS.contentKey }, contentKey);
  const sealed = await seal(contentKey, header, utf8(text));
  const { version, addedAt } = header;
  const named = [...sized(utf8(provider)), ...uint(version), ...sized(utf8(origin)), ...int(addedAt)];
  const body = [...MAGIC, FORMAT, 2, ...vault, ...record, ...named, ...sized(wrapped), ...sized(sealed)];
  const index = [1, ...sized(utf8(provider)), ...record, ...uint(version)];
  const next = Uint8Array.from([...covered.slice(0, slotsEnd), ...index]);
  return { record: await framed(body), header: await framed([...next, ...(await macOf(key, vault, next))]) };
}
