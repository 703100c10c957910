import { expect, it } from 'vitest';

import { bytesOf, textOf } from '../../src/as-text';

it.each([0, 1, 256, 8_191, 8_192, 8_193, 16_384, 200_000])('%i bytes are the same after they were text', (length) => {
  const bytes = Uint8Array.from({ length }, (_, at) => (at * 31) % 256);
  const text = textOf(bytes);
  expect(text).toHaveLength(length);
  expect(text).toMatch(/^[\0-\xff]*$/);
  expect(bytesOf(text)).toEqual(bytes);
});

it('characters that stand for no byte are some byte', () => {
  expect(bytesOf('\u{1f600}')).toEqual(Uint8Array.of(0x3d, 0x00));
});
