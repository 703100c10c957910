import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';

import { DEFAULT_ORGANISATION } from '../src/auth';
import { gateOf } from '../src/gates';

/** What the organisation's ledger says. */
export interface Books {
  limitNanoUsd: number;
  spentNanoUsd: number;
  reservedNanoUsd: number;
  overshootNanoUsd: number;
  resetsAt: number;
}

export const ledger = () => env.TENANT_LEDGER.get(env.TENANT_LEDGER.idFromName(DEFAULT_ORGANISATION));

export interface Figures {
  budget: Books;
  targets: { target: string; breaker: string; failures: number; keyed: boolean }[];
}

/** Asked by the Worker's own gate, which takes along what it has still to settle. */
export async function figures(): Promise<Figures> {
  return (await gateOf(DEFAULT_ORGANISATION, env).core.status()) as Figures;
}

export const books = async () => (await figures()).budget;

/** The stored snapshot. */
export const stored = () =>
  runInDurableObject(ledger(), (_, state) =>
    state.storage.sql.exec<{ snapshot: ArrayBuffer }>("SELECT row AS snapshot FROM rows WHERE key = 'ledger'").one(),
  );
