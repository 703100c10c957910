import { nothingHere, tooMany } from '../../errors';
import { fields, text } from '../../fields';
import { gateOf } from '../../gates';
import { providerName } from '../../names';
import { entrusted } from '../../organisation/keys';
import { forget, organisationOf } from '../../organisation/standing';
import { bodyOf, read, ruledBy } from '../input';
import type { Route } from '../route';
import { ABOUT, object, textOf } from '../schemas';
import { tiersOf } from './tokens';

const wanted = fields<{ key: string }>({ key: text(4_096) });

/** The organisation's own keys of providers. They go in and never come out. */
export const keys: Route[] = [
  {
    method: 'GET',
    path: '/api/admin/keys',
    scope: 'admin',
    summary: 'For which providers the organisation has a key of its own, and since when',
    query: ABOUT,
    handle: async (c, caller) => {
      const object = await organisationOf(ruledBy(c, caller), c.env);
      const known = (await object.standing())?.keys ?? [];
      return c.json({ keys: known.map(({ provider, changed }) => ({ provider, changed })) });
    },
  },
  {
    method: 'PUT',
    path: '/api/admin/keys/:provider',
    scope: 'admin',
    summary: 'Seals a key of a provider, which goes before the Worker’s; other isolates use it within 30 seconds',
    query: ABOUT,
    body: object({ key: textOf(4_096) }, 'key'),
    statuses: [409],
    handle: async (c, caller) => {
      const provider = read(providerName, c.req.param('provider'), 'provider');
      const { key } = await bodyOf(c, wanted);
      const organisation = ruledBy(c, caller);
      await tiersOf(organisation, caller, c.env);
      const box = entrusted(organisation, c.env);
      try {
        const { core } = gateOf(organisation, c.env);
        const { sealed, warnings } = box.seal(core, provider, new TextEncoder().encode(key)) as {
          sealed: Uint8Array;
          warnings: string[];
        };
        if (!(await (await organisationOf(organisation, c.env)).putKey(provider, sealed))) {
          throw tooMany('keys');
        }
        await forget(organisation);
        return c.json({ provider, warnings });
      } finally {
        box.free();
      }
    },
  },
  {
    method: 'DELETE',
    path: '/api/admin/keys/:provider',
    scope: 'admin',
    summary: 'Forgets the organisation’s key of a provider; the Worker’s is used again, if it has one',
    query: ABOUT,
    handle: async (c, caller) => {
      const provider = read(providerName, c.req.param('provider'), 'provider');
      const organisation = ruledBy(c, caller);
      if (!(await (await organisationOf(organisation, c.env)).removeKey(provider))) throw nothingHere();
      await forget(organisation);
      return c.json({ provider, removed: true });
    },
  },
];
