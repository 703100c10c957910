import { obstacles } from '../status';
import type { Route } from './route';

/** For whoever starts, stops and routes to Workers. None of them asks a provider, so none is ever billed. */
export const health: Route[] = [
  {
    method: 'GET',
    path: '/livez',
    summary: 'Whether the Worker runs',
    handle: (c) => c.json({ status: 'live' }),
  },
  {
    method: 'GET',
    path: '/readyz',
    summary: 'Whether a request could be served, and if not, why',
    handle: async (c) => {
      const reasons = await obstacles(c.env);
      return reasons.length === 0 ? c.json({ status: 'ready' }) : c.json({ status: 'not ready', reasons }, 503);
    },
  },
];
