const TIMEOUT_MS = 5_000;
const MAX_BYTES = 256 * 1024;

/** All bytes of a body, counted while they come: a length that is stated need not be true. Nothing if there are more. */
export async function bytesOf(body: ReadableStream<Uint8Array> | null, max: number): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body ?? []) {
    length += piece.byteLength;
    if (length > max) return undefined;
    pieces.push(piece);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** JSON that somebody else keeps for us, bounded in time and size. Rejects for everything but that. */
export async function json(address: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(address, { ...init, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
  const isGood = response.status === 200;
  // A body that nobody reads keeps its connection, of which a request has six.
  if (!isGood) void response.body?.cancel().catch(() => undefined);
  const bytes = isGood ? await bytesOf(response.body, MAX_BYTES) : undefined;
  if (!bytes) throw new TypeError('no answer that can be used');
  return JSON.parse(new TextDecoder().decode(bytes));
}
