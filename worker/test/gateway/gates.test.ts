import { evictAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, expect, it, vi } from 'vitest';

import { gateOf } from '../../src/gates';
import { objectOf } from '../../src/objects';
import { gateStatus } from '../../src/status';
import { calm, until } from '../client';

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

it('keeps a gate whose ledger is too slow to say how things stand', async () => {
  const TENANT_LEDGER = { idFromName: () => '', get: () => ({ decide: () => new Promise(() => undefined) }) };
  const slow = { ...env, TENANT_LEDGER } as unknown as typeof env;
  const gate = gateOf('slow', slow);
  const wait = setTimeout;
  const timer = vi.spyOn(globalThis, 'setTimeout');
  timer.mockImplementation(((ring: () => void, ms: number) => wait(ring, ms === 5_000 ? 1 : ms)) as typeof setTimeout);
  await expect(gateStatus('slow', slow)).rejects.toMatchObject({ code: 'internal', status: 500 });
  timer.mockRestore();
  expect(gateOf('slow', slow)).toBe(gate);
});

it('lets go of a gate that was pushed out, with what the Wasm has of it', async () => {
  const held = Array.from({ length: 100 }, (_, index) => new WeakRef(gateOf(`held-${index}`, env).core)).slice(0, 30);
  await until(() => {
    gc();
    return held.every((core) => core.deref() === undefined);
  });
});

it('lets go of a ledger whose object was evicted', async () => {
  const used = async () => {
    await gateOf('evicted', env).core.status();
    return runInDurableObject(objectOf(env.TENANT_LEDGER, 'evicted'), (object) => new WeakRef(object));
  };
  const held = await used();
  await evictAllDurableObjects();
  await until(() => {
    gc();
    return held.deref() === undefined;
  });
});
