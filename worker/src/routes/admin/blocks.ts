import { forbidden, invalid, nothingHere, tooMany } from '../../errors';
import { fields, flag, oneOf, optional, otherwise, text, whole } from '../../fields';
import { networkOf, type Block } from '../../organisation/blocks';
import { directoryObject, forget, organisationOf } from '../../organisation/standing';
import type { Caller } from '../../auth';
import { note, organisationName } from '../../names';
import { bodyOf, read, ruledBy } from '../input';
import type { Ours, Route } from '../route';
import { ABOUT, NOTE, object, oneOf as anyOf, TEXT, textOf, whole as between } from '../schemas';
import { tiersOf } from './tokens';

const KINDS = ['ip', 'token', 'user', 'organisation'] as const;
const value = text(256);
const MONTH_SECONDS = 31 * 86_400;

const wanted = fields<{ kind: Block['kind']; value: string; seconds: number; everywhere: boolean; note?: string }>({
  kind: oneOf(KINDS),
  value,
  seconds: otherwise(whole(1, MONTH_SECONDS), 3_600),
  everywhere: otherwise(flag, false),
  note: optional(note),
});

/** Who is kept out of an organisation, or by the operator out of all. */
export const blocks: Route[] = [
  {
    method: 'GET',
    path: '/api/admin/blocks',
    scope: 'admin',
    summary: 'Who is kept out, and until when',
    query: { ...ABOUT, everywhere: TEXT },
    handle: async (c, caller) => {
      if (c.req.query('everywhere') !== undefined) return c.json({ blocks: await all(c, caller).blocks() });
      const object = await organisationOf(ruledBy(c, caller), c.env);
      return c.json({ blocks: (await object.standing())?.blocks ?? [] });
    },
  },
  {
    method: 'POST',
    path: '/api/admin/blocks',
    scope: 'admin',
    summary:
      'Keeps an address, a token or a user out for a while, or (operator, `everywhere`) an organisation; other isolates know within 30 seconds',
    query: ABOUT,
    body: object(
      {
        kind: anyOf(...KINDS),
        value: textOf(256),
        seconds: between(1, MONTH_SECONDS),
        everywhere: { type: 'boolean' },
        note: NOTE,
      },
      'kind',
      'value',
    ),
    statuses: [201, 409],
    handle: async (c, caller) => {
      const { kind, value: given, seconds, everywhere, note } = await bodyOf(c, wanted);
      const wide = kind === 'ip' || kind === 'organisation';
      if (everywhere && !wide) throw invalid('everywhere', 'must be false: tokens and users have an organisation');
      if (!everywhere && kind === 'organisation')
        throw invalid('everywhere', 'must be true: the operator keeps organisations out');
      const created = Date.now();
      const block: Block = {
        ...{ kind, value: named(kind, given), created, expires: created + seconds * 1_000 },
        ...(note !== undefined && { note }),
      };
      const organisation = ruledBy(c, caller);
      if (!everywhere) await tiersOf(organisation, caller, c.env);
      const object = everywhere ? all(c, caller) : await organisationOf(organisation, c.env);
      if (!(await object.addBlock(block))) throw tooMany('blocks');
      await forget(organisation);
      return c.json(block, 201);
    },
  },
  {
    method: 'DELETE',
    path: '/api/admin/blocks/:kind/:value',
    scope: 'admin',
    summary: 'Lets somebody in again',
    query: { ...ABOUT, everywhere: TEXT },
    handle: async (c, caller) => {
      const kind = read(oneOf(KINDS), c.req.param('kind'), 'kind');
      const blocked = named(kind, read(value, c.req.param('value'), 'value'));
      const organisation = ruledBy(c, caller);
      const everywhere = c.req.query('everywhere') !== undefined;
      const object = everywhere ? all(c, caller) : await organisationOf(organisation, c.env);
      if (!(await object.removeBlock(kind, blocked))) throw nothingHere();
      await forget(organisation);
      return c.json({ kind, value: blocked, blocked: false });
    },
  },
];

/** The blocks of all organisations, which are the operator's. */
function all(c: Ours, caller: Caller) {
  if (!caller.scopes.includes('operator')) throw forbidden('operator');
  return directoryObject(c.env);
}

function named(kind: Block['kind'], given: string): string {
  if (kind === 'organisation') return read(organisationName, given, 'value');
  if (kind !== 'ip') return given;
  // An IPv6 network as the list shows it is one that may be given.
  const network = networkOf(given.replace(/\/64$/, ''));
  if (network === undefined) throw invalid('value', 'must be an IP address');
  return network;
}
