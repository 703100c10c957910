import { gateOf, partsOf } from '../gates';
import { queueStatsIfAny } from '../queue/place';
import { wayOf } from '../shelf';
import { componentsOf, gateStatus } from '../status';
import type { Route } from './route';

/** What a caller may know of how things stand. Asks no provider. */
export const status: Route[] = [
  {
    method: 'GET',
    path: '/api/ai/status',
    scope: 'chat',
    summary:
      'Who the caller is and what it may still do, components, models and their breakers, the queue; the budget, for admins',
    rate: 'status',
    handle: async (c, caller) => {
      const { targets, budget } = await gateStatus(caller.organisation, c.env);
      const { organisation, user, tier, scopes } = caller;
      const queue = await queueStatsIfAny(c.env, organisation);
      const { requests, tokens, budgets, inFlight } = await gateOf(organisation, c.env).core.limitsOf(partsOf(caller));
      return c.json({
        caller: { organisation, user, tier, scopes },
        // The organisation's own budget is its admins' to know.
        limits: {
          requests,
          ...(tokens && { tokens }),
          budgets: budgets.filter(({ of }) => of !== 'organisation' || scopes.includes('admin')),
        },
        components: componentsOf(c.env, targets, queue !== undefined),
        models: targets,
        inFlight,
        ...(queue && { queue }),
        ...(scopes.includes('admin') && { budget, sharedCache: wayOf(c.env) }),
      });
    },
  },
];
