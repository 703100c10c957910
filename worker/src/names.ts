import { text } from './fields';

/** An organisation's name: what identity providers use as ids, too. */
export const organisationName = text(
  128,
  /^[A-Za-z0-9][A-Za-z0-9._|:@-]*$/,
  'must begin with a letter or digit, and have only letters, digits and . _ | : @ - after it',
);
export const tierName = text(32, /^[a-z0-9][a-z0-9_-]*$/, 'must have only lower-case letters, digits, _ and -');
export const userName = text(256, /^[\x21-\x7e]+$/, 'must be printable ASCII without blanks');
export const note = text(200);
/** A provider's id, as the configuration names it. */
export const providerName = text(64, /^[a-z0-9][a-z0-9_-]*$/, 'must have only lower-case letters, digits, _ and -');
