/** Whether the header carries the token, told in a time that depends on neither. */
export async function carriesToken(authorization: string | undefined, token: string): Promise<boolean> {
  const given = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '';
  // Digests have one length, so that the comparison says nothing about the token's.
  const [own, other] = await Promise.all([digest(token), digest(given)]);
  return crypto.subtle.timingSafeEqual(own, other);
}

const digest = (text: string) => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
