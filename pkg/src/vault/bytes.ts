/**
 * Bytes of any realm: under jsdom a TextEncoder's are not of the page's own `Uint8Array`. What was transferred elsewhere is
 * none any more, as far as the place can tell.
 */
export const isBytes = (value: unknown): value is Uint8Array =>
  ArrayBuffer.isView(value) &&
  (value as Uint8Array)[Symbol.toStringTag] === 'Uint8Array' &&
  !(value.buffer as { detached?: boolean }).detached;
