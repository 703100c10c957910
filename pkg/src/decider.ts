// A gate's configuration is valid, or all that is wrong with it is told at once.

import { toError } from './errors.js';
import { misplaced, PLACES, type Wrong } from './isolation/place.js';
import type { Glue } from './platform.js';
import type { TidegateConfig } from './types.js';

/**
 * Takes the ledger's decisions. It also validates, before anything is opened.
 * @throws `config_invalid` with every field that is wrong, those of `wrong` among them.
 */
export function deciderOf(glue: Glue, config: TidegateConfig, wrong: Wrong): InstanceType<Glue['LedgerDecider']> {
  try {
    const decider = new glue.LedgerDecider(config);
    if (wrong.length === 0) return decider;
  } catch (thrown) {
    const { code, fields } = toError(thrown);
    if (code !== 'config_invalid' || !fields) throw thrown;
    // The Wasm knows none of the fields about places: who has misspelt one looks for it among those that there are.
    const known = ({ path, problem }: Wrong[number]) =>
      problem.startsWith('is not a known') && !/[.[]/u.test(path) ? `${problem}, ${PLACES.join(', ')}` : problem;
    wrong = [...wrong, ...fields.map((field) => ({ ...field, problem: known(field) }))];
  }
  throw misplaced(wrong);
}
