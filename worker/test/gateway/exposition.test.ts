import { expect, it } from 'vitest';

import { count, exposition, type Counters } from '../../src/figures/samples';

it('figures have every bucket from the first request on, also those that nothing fell into', () => {
  const counters: Counters = {};
  count(counters, { dialect: 'chat', code: 'timeout', totalMs: 50_000 });
  const bounds = (name: string) => [
    ...exposition(counters).matchAll(new RegExp(`${name}_bucket.le="(.+)". (.+)`, 'g')),
  ];
  const all = bounds('tidegate_request_duration_seconds').map(([, bound, count]) => [bound, Number(count)]);
  expect(all).toHaveLength(14);
  expect([all[0], all[8], all[9], all[13]]).toEqual([
    ['0.05', 0],
    ['30', 0],
    ['60', 1],
    ['+Inf', 1],
  ]);
  expect(bounds('tidegate_time_to_first_token_seconds')).toEqual([]);
  expect(exposition({})).toBe('');
});

it('a histogram has a sum also where no time passed', () => {
  const counters: Counters = {};
  count(counters, { dialect: 'chat', code: 'ok', totalMs: 0 });
  const text = exposition(counters);
  expect(text).toContain('tidegate_request_duration_seconds_sum 0\n');
  expect(text).not.toContain('tidegate_time_to_first_token_seconds');
});

it('figures are what Prometheus reads', async () => {
  const counters: Counters = {};
  const usage = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 2, reasoningTokens: 0 };
  const meta = {
    requestId: 'x',
    target: 't',
    attempts: 1,
    cache: 'miss',
    costNanoUsd: 5,
    costSource: 'computed',
    usage,
  };
  count(counters, { dialect: 'chat', code: 'ok', totalMs: 600_001, firstMs: 90, meta: meta as never });
  count(counters, { dialect: 'x"} evil 1\n', code: 'a\nb', totalMs: -5 });
  const text = exposition({ ...counters, 'evil{a="b"}': 1 });
  expect(text).not.toContain('evil');
  expect(text).toContain('tidegate_requests_total{dialect="other",outcome="other"} 1\n');
  const line = /^(# (HELP|TYPE) .+|[a-z_]+(\{[a-z]+="[^"\\\n]*"(,[a-z]+="[^"\\\n]*")*\})? [\d.e+-]+|)$/;
  expect(text.split('\n').filter((one) => !line.test(one))).toEqual([]);
  // Buckets hold all that is below them.
  const buckets = [...text.matchAll(/duration_seconds_bucket\{le="([^"]+)"\} (\d+)/g)].map(([, , n]) => Number(n));
  expect(buckets.slice(0, 14)).toEqual(buckets.slice(0, 14).sort((one, two) => one - two));
  expect(text).toContain('tidegate_request_duration_seconds_bucket{le="600"} 1\n');
  expect(text).toContain('tidegate_request_duration_seconds_bucket{le="+Inf"} 2\n');
});
