import { DEFAULT_ORGANISATION, type Caller, type Scope } from '../../auth';
import { hashOf, homeOf, newToken } from '../../auth/token';
import { invalid, nothingHere, tooMany } from '../../errors';
import { fields, list, oneOf, optional, otherwise, text, whole } from '../../fields';
import { directoryObject, forget, organisationObject, organisationOf, standingOf } from '../../organisation/standing';
import type { Env } from '../../env';
import { note, tierName, userName } from '../../names';
import { bodyOf, numberOf, read, ruledBy } from '../input';
import type { Route } from '../route';
import { ABOUT, NOTE, object, PAGES, SCOPES, TIER, USER, whole as whole_ } from '../schemas';

const DAY_SECONDS = 86_400;

const wanted = fields<{ user?: string; tier?: string; scopes: Scope[]; expiresInSeconds?: number; note?: string }>({
  user: optional(userName),
  tier: optional(tierName),
  // Nobody but the holder of TIDEGATE_TOKEN is the operator.
  scopes: otherwise(list(oneOf(['chat', 'admin', 'metrics']), 1, 3), ['chat']),
  expiresInSeconds: optional(whole(60, 3650 * DAY_SECONDS)),
  note: optional(note),
});

/** The organisation's API tokens. */
export const tokens: Route[] = [
  {
    method: 'GET',
    path: '/api/admin/tokens',
    scope: 'admin',
    summary: 'What is known of the API tokens, newest first; never the tokens themselves',
    query: { ...ABOUT, ...PAGES },
    handle: async (c, caller) => {
      const object = await organisationOf(ruledBy(c, caller), c.env);
      const limit = numberOf(c, 'limit', 1, 1_000, 100);
      return c.json({ tokens: await object.listTokens(limit, numberOf(c, 'after', 0, 1_000_000, 0)) });
    },
  },
  {
    method: 'POST',
    path: '/api/admin/tokens',
    scope: 'admin',
    summary: 'Makes an API token; the answer is the only one that shows it',
    query: ABOUT,
    body: object({
      user: USER,
      tier: TIER,
      scopes: SCOPES,
      expiresInSeconds: whole_(60, 3650 * DAY_SECONDS),
      note: NOTE,
    }),
    statuses: [201, 409],
    handle: async (c, caller) => {
      const organisation = ruledBy(c, caller);
      const { tier: named, expiresInSeconds, ...rest } = await bodyOf(c, wanted);
      const tiers = await tiersOf(organisation, caller, c.env);
      const tier = named ?? tiers[0] ?? caller.tier;
      if (!tiers.includes(tier)) throw invalid('tier', `must be one of ${tiers.join(', ')}`);
      const home = await homeOf(organisation);
      const token = newToken(home);
      const created = Date.now();
      const record = {
        ...{ id: `tok_${crypto.randomUUID().replaceAll('-', '').slice(0, 20)}`, tier, created, ...rest },
        scopes: [...new Set(rest.scopes)],
        ...(expiresInSeconds !== undefined && { expires: created + expiresInSeconds * 1_000 }),
      };
      const hash = await hashOf(token);
      if (!(await organisationObject(c.env, home).addToken(hash, record))) throw tooMany('tokens');
      return c.json({ token, organisation, ...record }, 201);
    },
  },
  {
    method: 'DELETE',
    path: '/api/admin/tokens/:id',
    scope: 'admin',
    summary: 'Revokes an API token; other isolates may let it in for another 30 seconds',
    query: ABOUT,
    handle: async (c, caller) => {
      const id = read(text(64), c.req.param('id'), 'id');
      const organisation = ruledBy(c, caller);
      const hash = await (await organisationOf(organisation, c.env)).revokeToken(id);
      if (hash === undefined) throw nothingHere();
      await forget(organisation, hash);
      return c.json({ id, revoked: true });
    },
  },
];

/** The tiers that the caller may give; sets up an organisation that needs no operator for it. */
export async function tiersOf(organisation: string, caller: Caller, env: Env): Promise<string[]> {
  const standing = await standingOf(organisation, env);
  if (standing) return standing.tiers;
  // What is somebody else's was set up by the operator, or it is not there.
  const unknown = 'is not known: PUT /api/admin/organisations/… sets it up';
  if (organisation !== caller.organisation) throw invalid('organisation', unknown, 404);
  const isDefault = organisation === DEFAULT_ORGANISATION;
  const tiers = isDefault ? ['enterprise', 'pro', 'free'] : [caller.tier];
  if (!isDefault && !(await directoryObject(env).add(organisation))) throw tooMany('organisations');
  await (await organisationOf(organisation, env)).put(organisation, tiers, true);
  await forget(organisation);
  // The operator may have set it up meanwhile, with other tiers.
  return (await standingOf(organisation, env))?.tiers ?? tiers;
}
