import { DEFAULT_ORGANISATION } from '../../auth';
import { tooMany } from '../../errors';
import { fields, list, otherwise } from '../../fields';
import { directoryObject, forget, organisationOf } from '../../organisation/standing';
import { organisationName, tierName } from '../../names';
import { bodyOf, numberOf, read } from '../input';
import type { Route } from '../route';
import { listOf, object, ORGANISATION, PAGES, TIER } from '../schemas';

const settings = fields<{ tiers: string[] }>({ tiers: otherwise(list(tierName, 1, 16), ['free']) });

/** Organisations, for the operator alone. */
export const organisations: Route[] = [
  {
    method: 'GET',
    path: '/api/admin/organisations',
    scope: 'operator',
    summary: 'The names of all organisations, in order, by pages',
    query: { limit: PAGES.limit, after: ORGANISATION },
    handle: async (c) => {
      const after = c.req.query('after');
      const limit = numberOf(c, 'limit', 1, 1_000, 100);
      const from = after === undefined ? '' : read(organisationName, after, 'after');
      return c.json({ organisations: await directoryObject(c.env).list(limit, from) });
    },
  },
  {
    method: 'PUT',
    path: '/api/admin/organisations/:organisation',
    scope: 'operator',
    summary: 'Sets an organisation up, or the tiers that its admins may give to tokens',
    body: object({ tiers: listOf(TIER, 1, 16) }),
    statuses: [409],
    handle: async (c) => {
      const organisation = read(organisationName, c.req.param('organisation'), 'organisation');
      const { tiers } = await bodyOf(c, settings);
      if (organisation !== DEFAULT_ORGANISATION && !(await directoryObject(c.env).add(organisation))) {
        throw tooMany('organisations');
      }
      await (await organisationOf(organisation, c.env)).put(organisation, tiers);
      await forget(organisation);
      return c.json({ organisation, tiers });
    },
  },
];
