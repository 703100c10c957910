// Reads what a page sends to a gateway.

import type { ToGate } from './protocol.js';
import {
  all,
  error,
  flag,
  flat,
  id,
  list,
  name,
  object,
  optional,
  read,
  text,
  type Check,
  type Shapes,
} from './shapes.js';

/** Credit of one message: more than a window is nobody's. */
const MOST_CREDIT = 2 ** 30;

const bytes: Check = (value) => id(value) && (value as number) <= MOST_CREDIT;

const TO_GATE: Shapes = new Map([
  ['open', [id, all({ config: object, join: optional(flag), gateway: text, rest: text, kdf: text, later: text })]],
  ['call', [id, name, list]],
  ['chat', [id, text, object, flag]],
  [
    'fetch',
    [id, all({ method: name, url: text, headers: flat, body: text, options: object, refusal: optional(error) })],
  ],
  ['abort', [id]],
  ['credit', [id, bytes]],
  ['listen', [name, flag]],
  ['ping', [id]],
]);

/** The message, if it is one for a gateway. */
export const readToGate = (message: unknown) => read(TO_GATE, message) as ToGate | undefined;
