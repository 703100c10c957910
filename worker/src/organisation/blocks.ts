/** Who is kept out until a time, in milliseconds since 1970. */
export interface Block {
  /** `organisation`: all of its callers, which only the operator can say. */
  kind: 'ip' | 'token' | 'user' | 'organisation';
  value: string;
  note?: string;
  created: number;
  expires: number;
}

/** Of each organisation, so that a request can look through all of them. */
const MAX_BLOCKS = 1_000;

interface Row extends Record<string, SqlStorageValue> {
  kind: Block['kind'];
  value: string;
  note: string | null;
  created: number;
  expires: number;
}

/** Adds or prolongs one; false if there are too many. */
export function addBlock(sql: SqlStorage, block: Block, now: number): boolean {
  const { kind, value, note = null, created, expires } = block;
  sql.exec('DELETE FROM block WHERE expires <= ? OR (kind = ? AND value = ?)', now, kind, value);
  if (sql.exec<{ n: number }>('SELECT count(*) AS n FROM block').one().n >= MAX_BLOCKS) return false;
  sql.exec('INSERT INTO block VALUES (?, ?, ?, ?, ?)', kind, value, note, created, expires);
  return true;
}

/** All that hold now. */
export function listBlocks(sql: SqlStorage, now: number): Block[] {
  const rows = sql.exec<Row>('SELECT * FROM block WHERE expires > ? ORDER BY created DESC', now).toArray();
  return rows.map(({ note, ...row }) => ({ ...row, ...(note !== null && { note }) }));
}

/** Lets somebody in again; whether there was such a block. */
export function removeBlock(sql: SqlStorage, kind: string, value: string): boolean {
  return sql.exec('DELETE FROM block WHERE kind = ? AND value = ? RETURNING kind', kind, value).toArray().length > 0;
}

/**
 * The network that an address belongs to, as blocks name it: an IPv4 address, or the 64 bits of an IPv6 one that a
 * customer of a provider has to himself. Nothing for what is no address.
 */
export function networkOf(address: string): string | undefined {
  const four = /^(?:::ffff:)?(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address)?.[1];
  // Whatever is written in another way (hexadecimal, with zeros before) is not what the platform tells.
  if (four) return URL.canParse(`http://${four}`) && new URL(`http://${four}`).hostname === four ? four : undefined;
  if (!/^[0-9a-f:.]{2,45}$/i.test(address) || !URL.canParse(`http://[${address}]`)) return undefined;
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const first = head.split(':').filter(Boolean);
  const zeros = Array.from({ length: 8 - first.length - tail.split(':').filter(Boolean).length }, () => '0');
  const network = [...first, ...zeros, ...tail.split(':').filter(Boolean)].slice(0, 4).join(':');
  return network === '0:0:0:0' ? undefined : `${network}::/64`;
}
