import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';

/** An identity provider: keys of its own, and a place where their public halves lie. */
export interface Idp {
  issuer: string;
  /** The stand-in server's address for its JWKS. */
  jwks: string;
  sign(claims?: JWTPayload, header?: { alg?: string; kid?: string; typ?: string }): Promise<string>;
  /** Puts the JWKS where it belongs; other `body` or `status` in its stead. */
  publish(how?: { status?: number; body?: string; headers?: Record<string, string> }): Promise<void>;
  /** From now on signs with another key. */
  rotate(): Promise<void>;
}

export async function idp(name: string, standIn: string): Promise<Idp> {
  let count = 0;
  const make = async () => {
    count += 1;
    return { kid: `${name}-${count}`, ...(await generateKeyPair('ES256', { extractable: true })) };
  };
  let key = await make();
  const jwks = `${standIn}/jwks-${name}`;
  const issuer = `https://${name}.example`;
  const publish: Idp['publish'] = async ({ status = 200, body, headers = {} } = {}) => {
    const own = { ...(await exportJWK(key.publicKey)), kid: key.kid, alg: 'ES256', use: 'sig' };
    const script = { provider: `jwks-${name}`, status, headers, body: body ?? JSON.stringify({ keys: [own] }) };
    await (await fetch(`${standIn}/script`, { method: 'POST', body: JSON.stringify(script) })).text();
  };
  await publish();
  return {
    ...{ issuer, jwks, publish },
    rotate: async () => {
      key = await make();
      await publish();
    },
    sign: (claims = {}, header = {}) => {
      const now = Math.floor(Date.now() / 1_000);
      const all = { iss: issuer, aud: 'tidegate', sub: 'ann', iat: now, exp: now + 300, ...claims };
      const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
      return new SignJWT(kept).setProtectedHeader({ alg: 'ES256', kid: key.kid, ...header }).sign(key.privateKey);
    },
  };
}
