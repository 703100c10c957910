import { DEFAULT_ORGANISATION } from '../../auth';
import { organisationName } from '../../names';
import { mastersOf } from '../../queue/masters';
import { reseal } from '../../organisation/reseal';
import { directoryObject, organisationOf } from '../../organisation/standing';
import { numberOf, read } from '../input';
import type { Route } from '../route';
import { ORGANISATION, whole } from '../schemas';

/** Two requests for each organisation: the free plan lets a Worker make fifty. */
const PAGE = 20;
const MOST = 400;

/** To change the master key: until every page was gone through, the last one is still needed. */
export const resealing: Route[] = [
  {
    method: 'POST',
    path: '/api/admin/reseal',
    scope: 'operator',
    summary:
      'Seals what organisations entrusted under the present master key, by pages: `after` of the answer is the next one’s, and without it all is done',
    query: { limit: whole(1, MOST), after: ORGANISATION },
    handle: async (c) => {
      // Also where nobody has entrusted anything: who asks wants to know.
      mastersOf(c.env);
      const given = c.req.query('after');
      const limit = numberOf(c, 'limit', 1, MOST, PAGE);
      const after = given === undefined ? undefined : read(organisationName, given, 'after');
      const listed = await directoryObject(c.env).list(limit, after ?? '');
      // The operator's own is in no list.
      const names = after === undefined ? [DEFAULT_ORGANISATION, ...listed] : listed;
      const each = await Promise.all(
        names.map(async (organisation) => {
          const keys = (await (await organisationOf(organisation, c.env)).standing())?.keys ?? [];
          const { resealed, unreadable } = await reseal(organisation, keys, c.env);
          return {
            keys: keys.length,
            resealed,
            unreadable: unreadable.map((provider) => ({ organisation, provider })),
          };
        }),
      );
      const sum = (pick: 'keys' | 'resealed') => each.reduce((sum, one) => sum + one[pick], 0);
      return c.json({
        keys: sum('keys'),
        resealed: sum('resealed'),
        unreadable: each.flatMap(({ unreadable }) => unreadable),
        ...(listed.length === limit && { after: listed.at(-1) }),
      });
    },
  },
];
