import type { Env } from '../env';
import { Recent } from '../recent';
import { obstacles } from '../status';
import type { Ours, Route } from './route';

/**
 * How long what was found is told again, in milliseconds: anybody may ask, as often as they like, and each look asks the
 * ledger that the operator's own requests need.
 */
const LOOK_MS = 1_000;
const looks = new WeakMap<Env, Recent<string[]>>();

const ready = async (c: Ours) => {
  let known = looks.get(c.env);
  if (!known) looks.set(c.env, (known = new Recent(1, LOOK_MS)));
  const reasons = known.find('') ?? known.keep('', await obstacles(c.env));
  return reasons.length === 0 ? c.json({ status: 'ready' }) : c.json({ status: 'not ready', reasons }, 503);
};

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
    statuses: [503],
    handle: ready,
  },
  {
    method: 'GET',
    path: '/health',
    summary: 'The same, under the name that load balancers look for',
    statuses: [503],
    handle: ready,
  },
];
