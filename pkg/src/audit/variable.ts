// What a variable of an environment holds, held against its name. The Wasm decides.

import { load } from '../node-wasm.js';

/** What is unusual about a key: `refused` if it can be none. Sentences without any part of it. */
export interface VariableCheck {
  provider: string;
  refused?: string;
  warnings: string[];
}

/** The value of a variable as the key that its name speaks of; nothing if it speaks of none. */
export async function checkVariable(name: string, value: string): Promise<VariableCheck | undefined> {
  const glue = (await load()) as typeof import('../../wasm/tidegate-server.js');
  const told = glue.checkVariable(name, new TextEncoder().encode(value)) as
    (VariableCheck & { refused: string | null }) | undefined;
  return told && { provider: told.provider, warnings: told.warnings, ...(told.refused && { refused: told.refused }) };
}
