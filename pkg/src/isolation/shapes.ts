// What the fields of messages may be. Positions of an array each have a check; whatever follows them is not looked at.

import type { ErrorData } from '../errors.js';

export type Check = (value: unknown) => boolean;
export const id: Check = (value) => Number.isSafeInteger(value) && (value as number) > 0;
export const text: Check = (value) => typeof value === 'string';
export const name: Check = (value) => typeof value === 'string' && value.length <= 64;
export const flag: Check = (value) => typeof value === 'boolean';
export const list: Check = (value) => Array.isArray(value) && value.length <= 8;
export const object: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
export const anything: Check = () => true;
export const flat: Check = (value) => Array.isArray(value) && value.length <= 512 && value.every(text);
export const error: Check = (value) =>
  object(value) &&
  text((value as ErrorData).code) &&
  text((value as ErrorData).message) &&
  'attempts' in (value as object) &&
  fields((value as ErrorData).fields);
/** What an error's message is made of. */
const fields: Check = (value) => value === undefined || (Array.isArray(value) && value.every((field) => object(field)));
export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
export const all =
  (fields: Record<string, Check>): Check =>
  (value) =>
    object(value) && Object.entries(fields).every(([field, check]) => check((value as Record<string, unknown>)[field]));
export const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

/** Checks of each kind of message. */
export type Shapes = ReadonlyMap<unknown, readonly Check[]>;

/** The message, if it is one of these shapes. */
export const read = (shapes: Shapes, message: unknown): unknown[] | undefined => {
  if (!Array.isArray(message)) return undefined;
  const checks = shapes.get(message[0]);
  return checks?.every((check, index) => check(message[index + 1])) ? message : undefined;
};
