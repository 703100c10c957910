import { env } from 'cloudflare:workers';
import { beforeEach, expect, it } from 'vitest';

import { gateOf } from '../../src/gates';
import { calm } from '../client';

beforeEach(calm);

it('keeps one gate for each organisation, and the ones used last', async () => {
  const first = gateOf('first', env);
  const kept = gateOf('kept', env);
  expect(gateOf('first', env)).toBe(first);
  expect(kept).not.toBe(first);
  // Asked while it is pushed out: it still answers.
  const asked = first.core.status();
  for (let index = 0; index < 100; index += 1) {
    gateOf(`other-${index}`, env);
    expect(gateOf('kept', env)).toBe(kept);
  }
  expect(await asked).toMatchObject({ budget: { spentNanoUsd: 0 } });
  expect(gateOf('first', env)).not.toBe(first);
});
