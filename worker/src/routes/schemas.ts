import type { Schema } from './route';

export const TEXT = { type: 'string' };
export const whole = (minimum: number, maximum: number): Schema => ({ type: 'integer', minimum, maximum });
export const textOf = (maxLength: number, pattern?: string): Schema => ({
  ...{ type: 'string', minLength: 1, maxLength },
  ...(pattern !== undefined && { pattern }),
});
export const oneOf = (...values: string[]): Schema => ({ type: 'string', enum: values });
export const listOf = (items: Schema, minItems: number, maxItems: number): Schema => ({
  ...{ type: 'array', items, minItems, maxItems },
});

/** An object that takes no other fields. */
export const object = (properties: Record<string, Schema>, ...required: string[]): Schema => ({
  ...{ type: 'object', properties, additionalProperties: false },
  ...(required.length > 0 && { required }),
});

export const ORGANISATION = textOf(128, '^[A-Za-z0-9][A-Za-z0-9._|:@-]*$');
export const TIER = textOf(32, '^[a-z0-9][a-z0-9_-]*$');
export const USER = textOf(256, '^[!-~]+$');
export const NOTE = textOf(200);
export const SCOPES = listOf(oneOf('chat', 'admin', 'metrics'), 1, 3);

/** The query of routes about one organisation. */
export const ABOUT = { organisation: ORGANISATION };
export const PAGES = { limit: whole(1, 1_000), after: whole(0, 1_000_000) };
