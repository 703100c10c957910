import { env } from 'cloudflare:workers';

import worker from '../src/index';
import { type Env } from '../src/env';
import { read, type Answer, type Init } from './client';

const context = { waitUntil: () => {}, passThroughOnException: () => {} } as unknown as ExecutionContext;

/** Calls the Worker as it is with other variables. It keeps nothing of them but gates. */
export const calling =
  (variables: Partial<Record<string, unknown>>) =>
  async (path: string, init: Init = {}): Promise<Answer> => {
    const own = { ...env, ...variables } as unknown as Env;
    return read(await worker.fetch(new Request(`https://gateway.example${path}`, init), own, context));
  };
