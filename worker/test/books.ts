import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';

import { DEFAULT_ORGANISATION } from '../src/auth';
import { rawConfiguration } from '../src/env';
import { Core, load } from '../src/wasm';

/** What the organisation's ledger says, read by a gate of its own, beside the Worker's. */
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

let reader: Core | undefined;

export async function figures(): Promise<Figures> {
  if (!reader) {
    load();
    reader = new Core(rawConfiguration(env), {
      runtime: 'workerd',
      join: false,
      ledger: (command: Uint8Array) => ledger().decide(command),
    });
  }
  return (await reader.status()) as Figures;
}

export const books = async () => (await figures()).budget;

/** The stored snapshot. */
export const stored = () =>
  runInDurableObject(ledger(), (_, state) =>
    state.storage.sql.exec<{ snapshot: ArrayBuffer }>("SELECT row AS snapshot FROM rows WHERE key = 'ledger'").one(),
  );
