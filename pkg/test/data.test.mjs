// Whose data is whose in the two parts of a build (scripts/split-data.mjs), on a module made up for it.

import assert from 'node:assert/strict';
import test from 'node:test';
import { splitData } from '../../scripts/split-data.mjs';
import { join, list, name, signed, u32, write } from '../../scripts/wasm-module.mjs';

const AT = 4096;
const [MEMORY_ADDRESS_SLEB, MEMORY_ADDRESS_I32] = [4, 5];
const sized = (bytes) => join(u32(bytes.length), bytes);
const custom = (own, bytes) => join([0], sized(join(name(own), bytes)));

/**
 * What the linker would write: pieces of data (offset and size) in one segment at `AT`, and what refers to them: `code`
 * by piece and addend, `data` by the offset that holds the address, piece and addend.
 */
function linkedModule(bytes, pieces, { code = [], data = [] }) {
  const head = join([1, 0, 0x41], signed(AT), [0x0b], u32(bytes.length));
  const symbols = list(pieces.map(([offset, size]) => join([1, 2], name('own'), u32(0), u32(offset), u32(size))));
  const relocations = (section, entries) => join(u32(section), list(entries));
  const codes = code.map(([piece, addend]) => join([MEMORY_ADDRESS_SLEB], u32(0), u32(piece), signed(addend)));
  const datas = data.map(([offset, piece, addend]) =>
    join([MEMORY_ADDRESS_I32], u32(head.length + offset), u32(piece), signed(addend)),
  );
  return join(
    write({ 10: list([]), 11: join(head, bytes) }),
    custom('linking', join([2, 8], sized(symbols))),
    custom('reloc.CODE', relocations(0, codes)),
    custom('reloc.DATA', relocations(1, datas)),
  );
}

/** The addresses whose bytes a part brings, without zeros. */
const brought = (segments) =>
  segments.flatMap(({ address, bytes }) => [...bytes].flatMap((byte, at) => (byte ? [address + at - AT] : [])));
const range = (from, to) => Array.from({ length: to - from }, (_, at) => from + at);
const split = (bytes, pieces, links, constants) =>
  splitData([{ address: AT, bytes }], new Set(constants), linkedModule(bytes, pieces, links));

test('what no constant leads to comes with the rest', () => {
  const bytes = new Uint8Array(2000).fill(7);
  // The second is reached through the first, the end of the second is an address of its own too.
  const pieces = [
    [0, 500],
    [500, 500],
    [1000, 400],
    [1400, 500],
  ];
  const links = {
    code: [
      [0, 0],
      [1, 500],
      [2, 0],
      [3, 8],
    ],
    data: [[20, 1, 4]],
  };
  const [first, rest] = split(bytes, pieces, links, [AT, 12]);
  // Nobody tells of the last hundred.
  assert.deepEqual(brought(first), [...range(0, 1000), ...range(1900, 2000)]);
  assert.deepEqual(brought(rest), range(1000, 1900));
  // The end of the second piece is no address of the third.
  assert.deepEqual(brought(split(bytes, pieces, links, [AT + 1000])[0]).at(0), 500);
  assert.deepEqual(brought(split(bytes, pieces, links, [AT + 1408])[1]), range(0, 1400));
});

test('a constant that the linker did not make keeps what is around it', () => {
  const bytes = new Uint8Array(1000).fill(7);
  const pieces = [
    [0, 100],
    [100, 100],
    [200, 800],
  ];
  const [first] = split(
    bytes,
    pieces,
    {
      code: [
        [0, 0],
        [1, 0],
        [2, 0],
      ],
    },
    [AT + 96],
  );
  assert.deepEqual(brought(first), range(0, 1000));
});

test('the rest writes nothing, zeros neither, where the first has its data', () => {
  const bytes = new Uint8Array(64).fill(7);
  bytes.fill(0, 8, 12);
  const pieces = [
    [0, 8],
    [8, 4],
    [12, 8],
    [20, 300],
  ];
  // Four zeros of the first between two pieces of the rest.
  const [, rest] = split(
    bytes,
    pieces,
    {
      code: [
        [1, 0],
        [0, 0],
        [2, 0],
        [3, 0],
      ],
    },
    [AT + 8],
  );
  for (const { address, bytes } of rest) {
    assert.ok(address + bytes.length <= AT + 8 || address >= AT + 12, `${address - AT}, ${bytes.length} bytes`);
  }
  assert.deepEqual(brought(rest), [...range(0, 8), ...range(12, 64)]);
});
