import type { Stats } from '../../../pkg/src/queue/stats';
import type { Caller } from '../auth';
import { internal, isPlanLimit } from '../errors';
import { text } from '../fields';
import { figuresOf, figuresOfAll, told } from '../figures/counted';
import { exposition } from '../figures/samples';
import { forget, organisationOf } from '../organisation/standing';
import { eraseQueued, MOST_SHARDS, queueStatsIfAny } from '../queue/place';
import { gateStatus } from '../status';
import { numberOf, read, ruledBy, shardsAsked } from './input';
import type { Ours, Route } from './route';
import { ABOUT, PAGES, textOf, whole } from './schemas';

const PAGE = 1_000;

/** Figures: of the organisation for its own, of all for the operator. Isolates tell theirs about five seconds late. */
export const figures: Route[] = [
  {
    method: 'GET',
    path: '/metrics',
    scope: 'metrics',
    summary: 'Figures as Prometheus reads them: the organisation’s own, or all together for the operator',
    query: { ...ABOUT, shards: whole(1, MOST_SHARDS) },
    rate: 'metrics',
    handle: async (c, caller) => {
      await told(caller.organisation);
      const all = caller.scopes.includes('operator') && c.req.query('organisation') === undefined;
      const organisation = ruledBy(c, caller);
      const object = all ? figuresOfAll(c.env) : await figuresOf(organisation, c.env);
      const { targets, budget } = await gateStatus(organisation, c.env);
      const gauges = [
        // Targets are the configuration's: their names need only what would end a label taken out.
        ...targets.flatMap(({ target, breaker }) =>
          ['closed', 'open', 'half-open'].map((state) => [
            `tidegate_breaker_state{target="${target.replace(/[^\w./:@-]/g, '_')}",state="${state}"}`,
            Number(breaker === state),
          ]),
        ),
        ['tidegate_budget_nano_usd{kind="limit"}', budget.limitNanoUsd],
        ['tidegate_budget_nano_usd{kind="spent"}', budget.spentNanoUsd],
        ['tidegate_budget_nano_usd{kind="reserved"}', budget.reservedNanoUsd],
        ...queueGauges(await queueStatsIfAny(c.env, organisation, shardsAsked(c))),
      ] as [string, number][];
      const text = exposition({ ...(await object.counters()), ...Object.fromEntries(gauges) });
      return c.body(text, 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    },
  },
  {
    method: 'GET',
    path: '/api/ai/usage',
    scope: 'chat',
    summary: 'What the caller used, by day (UTC)',
    query: PAGES,
    handle: async (c, caller) => {
      await told(caller.organisation);
      const object = await figuresOf(caller.organisation, c.env);
      const limit = numberOf(c, 'limit', 1, PAGE, 100);
      // Who names no user sees what nobody in particular used.
      return c.json({ usage: await object.usage(caller.user ?? '', limit, numberOf(c, 'after', 0, 1_000_000, 0)) });
    },
  },
  {
    method: 'GET',
    path: '/api/ai/export',
    scope: 'admin',
    summary: 'The organisation’s usage by user and day (UTC), by pages',
    query: { ...ABOUT, ...PAGES },
    handle: async (c, caller) => {
      const organisation = ruledBy(c, caller);
      await told(organisation);
      const limit = numberOf(c, 'limit', 1, PAGE, PAGE);
      const after = numberOf(c, 'after', 0, 1_000_000, 0);
      const usage = await (await figuresOf(organisation, c.env)).usage(undefined, limit, after);
      return c.json({ organisation, usage, ...(usage.length === limit && { after: after + limit }) });
    },
  },
  {
    method: 'DELETE',
    path: '/api/ai/users/:id',
    scope: 'admin',
    summary: 'Erases a user: their figures become nobody’s, their API tokens end, their books and queued requests go',
    query: { ...ABOUT, after: whole(0, MOST_SHARDS) },
    handle: (c, caller) => erase(c, caller, c.req.param('id')),
  },
  {
    method: 'DELETE',
    path: '/api/ai/users',
    scope: 'admin',
    summary: 'The same for a user whose name no path can have, such as `..`',
    query: { ...ABOUT, id: textOf(256), after: whole(0, MOST_SHARDS) },
    handle: (c, caller) => erase(c, caller, c.req.query('id')),
  },
];

/**
 * Of any name that a queued request may have, too: whoever asks for a whole organisation says there whom it is for. Where the
 * plan lets one request ask fewer objects, `after` of the answer is the next one's, and without it all is done.
 */
async function erase(c: Ours, caller: Caller, id: string | undefined): Promise<Response> {
  const user = read(text(256), id, 'id');
  const organisation = ruledBy(c, caller);
  await told(organisation);
  const days = await (await figuresOf(organisation, c.env)).eraseUser(user);
  const home = await organisationOf(organisation, c.env);
  const tokens = await home.eraseUser(user);
  for (const { hash } of tokens) await forget(organisation, hash);
  const { queued, after } = await eraseQueued(c.env, organisation, user, numberOf(c, 'after', 0, MOST_SHARDS, 0));
  // Tokens go last.
  const goOn = (after: number) => c.json({ user, erased: { days, tokens: 0, queued }, after });
  if (after !== undefined) return goOn(after);
  // Last: what ended just now has been settled in them.
  const { TENANT_LEDGER } = c.env;
  const ledger = TENANT_LEDGER.get(TENANT_LEDGER.idFromName(organisation));
  const ids = tokens.map(({ id }) => id);
  try {
    if (!(await ledger.eraseUser(user, ids))) throw internal();
    // Only now nothing needs their ids any more: who failed before is asked for again.
    await home.eraseTokens(ids);
  } catch (failure) {
    if (isPlanLimit(failure)) return goOn(MOST_SHARDS);
    throw failure;
  }
  return c.json({ user, erased: { days, tokens: tokens.length, queued } });
}

/** How much waits, by state and priority; nothing where there is no queue. */
function queueGauges(stats: Stats | undefined): [string, number][] {
  if (!stats) return [];
  const { queued, delayed, running, completed, dead, cancelled, open, oldestQueuedAt } = stats;
  const states = { queued, delayed, running, completed, dead, cancelled };
  const count = (name: string, label: string, of: object) =>
    Object.entries(of).map(([value, count]): [string, number] => [`${name}{${label}="${value}"}`, Number(count)]);
  const age = oldestQueuedAt === undefined ? 0 : Math.max(0, Date.now() - oldestQueuedAt) / 1_000;
  return [
    ...count('tidegate_queue_items', 'state', states),
    ...count('tidegate_queue_open', 'priority', open),
    ['tidegate_queue_oldest_seconds', age],
  ];
}
