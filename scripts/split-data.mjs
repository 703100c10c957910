// Which of the data only the rest refers to. The linker tells (`--emit-relocs`): where each piece of data lies, and every
// place in code and data that is the address of one. A constant of the finished code that is such an address leads to the
// piece; what only the rest's functions lead to, also through other pieces, comes with the rest.

import { Reader } from './wasm-module.mjs';

/** How near segments may come to one another: what a segment has before its bytes is as long. */
const NEAR = 8;
/** How far from a piece a constant may be that was reckoned from its address. */
const SLACK = 256;
/** Kinds of relocations: those of addresses in memory (of which these four have an addend), and the others with one. */
const ADDRESSES = new Set([3, 4, 5, 11]);
const WITH_ADDEND = new Set([...ADDRESSES, 8, 9, 14, 15, 16, 17, 21, 22, 23, 25]);
const [OF_DATA, OF_SECTION] = [1, 3];
const [UNDEFINED, EXPLICIT_NAME] = [0x10, 0x40];
const [SYMBOL_TABLE, CODE, DATA] = [8, 10, 11];
const listOf = (map, key) => map.get(key) ?? map.set(key, []).get(key);

/** Pieces of data with their addresses, and what refers to them, from what the linker wrote. */
function linked(bytes) {
  const reader = new Reader(bytes, 8);
  const relocations = [];
  const segments = [];
  let symbols = [];
  let dataAt = 0;
  const custom = {
    linking: (end) => {
      reader.u32();
      while (reader.at < end) {
        const [kind, size] = [reader.byte(), reader.u32()];
        const next = reader.at + size;
        if (kind === SYMBOL_TABLE) symbols = reader.list(() => symbol(reader));
        reader.at = next;
      }
    },
    reloc: () => {
      const section = reader.u32();
      const entry = () => {
        const [kind, offset, index] = [reader.byte(), reader.u32(), reader.u32()];
        return { section, kind, offset, index, addend: WITH_ADDEND.has(kind) ? Number(reader.signed()) : 0 };
      };
      relocations.push(...reader.list(entry).filter(({ kind }) => ADDRESSES.has(kind)));
    },
  };
  const order = [];
  while (reader.at < bytes.length) {
    const [id, size] = [reader.byte(), reader.u32()];
    const end = reader.at + size;
    order.push(id);
    if (id === 0) custom[reader.name().split('.')[0]]?.(end);
    if (id === DATA) {
      dataAt = reader.at;
      reader.list(() => {
        if (reader.u32() !== 0) throw new Error('a data segment that is not active');
        reader.byte();
        const address = Number(reader.signed());
        reader.byte();
        const length = reader.u32();
        segments.push({ address, from: reader.at - dataAt, length });
        reader.take(length);
      });
    }
    reader.at = end;
  }
  const pieces = symbols.map(({ size, segment, offset }) =>
    size > 0
      ? { start: segments[segment].address + offset, end: segments[segment].address + offset + size }
      : undefined,
  );
  const within = ({ section, offset }) => {
    if (order[section] === CODE) return undefined;
    const own = segments.find(({ from, length }) => offset >= from && offset < from + length);
    return own.address + offset - own.from;
  };
  const links = relocations.flatMap(({ index, addend, ...place }) =>
    pieces[index] ? [{ to: pieces[index], value: pieces[index].start + addend, within: within(place) }] : [],
  );
  return { pieces: pieces.filter(Boolean), links };
}

function symbol(reader) {
  const [kind, flags] = [reader.byte(), reader.u32()];
  if (kind === OF_DATA) {
    reader.name();
    if (flags & UNDEFINED) return {};
    return { segment: reader.u32(), offset: reader.u32(), size: reader.u32() };
  }
  reader.u32();
  if (kind !== OF_SECTION && (!(flags & UNDEFINED) || flags & EXPLICIT_NAME)) reader.name();
  return {};
}

/**
 * The data in two: the segments of what `constants`, the numbers in the first part's code, lead to or nobody tells of, and
 * those of the others. `segments` is all of it, `bytes` the module that the linker wrote.
 */
export function splitData(segments, constants, bytes) {
  const { pieces, links } = linked(bytes);
  const byValue = new Map();
  for (const link of links) listOf(byValue, link.value).push(link.to);
  const near = (value) => pieces.filter(({ start, end }) => value >= start - SLACK && value < end + SLACK);
  const inside = new Map();
  for (const { to, within } of links) {
    if (within === undefined) continue;
    for (const piece of pieces) if (within >= piece.start && within < piece.end) listOf(inside, piece).push(to);
  }
  const first = new Set();
  const left = [...constants].flatMap((value) => byValue.get(value) ?? near(value));
  while (left.length > 0) {
    const piece = left.pop();
    if (first.has(piece)) continue;
    first.add(piece);
    left.push(...(inside.get(piece) ?? []));
  }
  const owners = new Map();
  for (const of of [pieces, first]) {
    for (const piece of of) for (let at = piece.start; at < piece.end; at++) owners.set(at, first.has(piece));
  }
  const isFirst = (at) => owners.get(at) ?? true;
  // What the rest brings must not touch what the first may have written by then.
  return [
    taken(segments, isFirst, () => true),
    taken(
      segments,
      (at) => !isFirst(at),
      (at) => owners.get(at) !== true,
    ),
  ];
}

/**
 * Segments of the bytes at the addresses that a part `has`, without zeros, which memory is made of. `mayZero` tells where
 * there may be zeros between them.
 */
function taken(segments, has, mayZero) {
  const made = [];
  for (const { address, bytes } of segments) {
    let own;
    bytes.forEach((byte, offset) => {
      const at = address + offset;
      if (!mayZero(at)) own = undefined;
      if (byte === 0 || !has(at)) return;
      if (!own || at - own.end > NEAR) made.push((own = { address: at, bytes: [] }));
      own.bytes[at - own.address] = byte;
      own.end = at + 1;
    });
  }
  return made.map(({ address, bytes }) => ({ address, bytes: Uint8Array.from(bytes, (byte) => byte ?? 0) }));
}
