// The settings that the Worker's page shows, pasted: the Worker starts with them, and is ready.

import { env } from 'cloudflare:workers';
import { beforeEach, expect, it, vi } from 'vitest';

import page from '../../README.md?raw';
import type { Env } from '../../src/env';
import { calm } from '../client';

beforeEach(calm);

const context = { waitUntil: () => {}, passThroughOnException: () => {} } as unknown as ExecutionContext;

/** A whole object is what `TIDEGATE_AUTH` is set to; a part of one names its variable itself. */
const variablesOf = (text: string): Record<string, unknown> =>
  text.startsWith('{') ? { TIDEGATE_AUTH: JSON.parse(text) } : (JSON.parse(`{${text}}`) as Record<string, unknown>);

const shown = [...page.matchAll(/^```json\n(.*?)^```$/gmsu)].map(([, text = '']) => variablesOf(text));

it('shows the configuration and the identity provider', () => {
  expect(shown.flatMap((variables) => Object.keys(variables)).sort()).toEqual(['TIDEGATE_AUTH', 'TIDEGATE_CONFIG']);
});

it.each(shown)('is ready with what it shows: %o', async (variables) => {
  vi.resetModules();
  const { default: worker } = await import('../../src/index');
  const own = { ...env, TIDEGATE_SESSION_KEY: 'k'.repeat(32), ...variables } as unknown as Env;
  const response = await worker.fetch(new Request('https://gateway.example/readyz'), own, context);
  expect(await response.text()).toBe('{"status":"ready"}');
});
