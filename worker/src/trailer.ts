import type { Env } from './env';
import { badConfiguration, invalid } from './errors';

/**
 * Whether the account of a stream follows its end: as the request's header says, else TIDEGATE_TRAILER.
 * @throws `invalid_request` or `config_invalid`, by whose word it is.
 */
export function wantsTrailer(asked: string | null, { TIDEGATE_TRAILER: usual }: Env): boolean {
  const word = asked ?? usual ?? '';
  if (word === '1') return true;
  if (word === '0' || word === '') return false;
  const problem = 'must be "1" or "0"';
  throw asked === null
    ? badConfiguration('TIDEGATE_TRAILER', problem)
    : invalid('x-tidegate-trailer', 'must be 1 or 0');
}
