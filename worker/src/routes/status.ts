import { gateStatus } from '../status';
import type { Route } from './route';

/** What a caller may know of how things stand. Asks no provider. */
export const status: Route[] = [
  {
    method: 'GET',
    path: '/api/ai/status',
    scope: 'chat',
    summary: 'Who the caller is to the gateway, the models and their breakers; the budget, for admins',
    handle: async (c, caller) => {
      const { targets, budget, inFlight } = await gateStatus(caller.organisation, c.env);
      const { organisation, user, tier, scopes } = caller;
      return c.json({
        caller: { organisation, user, tier, scopes },
        models: targets,
        inFlight,
        ...(scopes.includes('admin') && { budget }),
      });
    },
  },
];
