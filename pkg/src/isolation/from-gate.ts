// Reads what a gateway sends to a page.

import type { FromGate } from './protocol.js';
import { all, anything, error, flat, id, name, object, orNull, read, type Shapes } from './shapes.js';

const answering = all({ status: id, headers: flat });
const FROM_GATE: Shapes = new Map([
  ['ready', [name]],
  ['refused', [error]],
  ['done', [id, anything]],
  ['fail', [id, error]],
  ['begin', [id, orNull(answering)]],
  ['data', [id, (value) => value instanceof ArrayBuffer]],
  ['end', [id, orNull(error)]],
  ['account', [id, orNull(object), orNull(error)]],
  ['event', [name, object]],
  ['pong', [id]],
  ['broken', []],
]);

/** The message, if it is one from a gateway. */
export const readFromGate = (message: unknown) => read(FROM_GATE, message) as FromGate | undefined;
