// A WebAssembly module taken apart as far as moving its functions needs it, and written again. Layouts and opcodes:
// https://webassembly.github.io/spec/core/binary/ (with SIMD, bulk memory and reference types).

/** What an instruction's immediates are, for those that have any; see `skip`. */
const IMMEDIATES = new Map([
  ...[0x0c, 0x0d, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x3f, 0x40, 0xd0].map((op) => [op, 'i']),
  ...[0x02, 0x03, 0x04].map((op) => [op, 'i']), // block types
  [0x11, 'ii'],
  [0x13, 'ii'],
  [0x1c, 'v'],
  [0x43, '4'],
  ...Array.from({ length: 23 }, (_, n) => [0x28 + n, 'm']),
]);
const BULK = ['', '', '', '', '', '', '', '', 'ii', 'i', 'ii', 'i', 'ii', 'i', 'ii', 'i', 'i', 'i'];

function simd(op) {
  if (op <= 11 || op === 92 || op === 93) return 'm';
  if (op === 13) return '8'.repeat(2);
  if (op >= 21 && op <= 34) return '1';
  return op >= 84 && op <= 91 ? 'm1' : '';
}

/** Bytes that loads and stores (from 0x28 on) are of, as powers of two; 128-bit ones are mostly of two or four numbers. */
const WIDTHS = [...'23230011001122232301012'].map(Number);
const WIDTH_128 = 2;

/** Reads the binary format. */
export class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
    this.view = new DataView(bytes.buffer, bytes.byteOffset);
  }
  byte() {
    return this.bytes[this.at++];
  }
  take(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  u32() {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
  signed() {
    for (let value = 0n, shift = 0n; ;) {
      const byte = this.byte();
      value |= BigInt(byte & 127) << shift;
      shift += 7n;
      if (byte < 128) return byte & 64 ? value - (1n << shift) : value;
    }
  }
  name() {
    return new TextDecoder().decode(this.take(this.u32()));
  }
  list(item) {
    return Array.from({ length: this.u32() }, () => item());
  }
  since(start) {
    return this.bytes.subarray(start, this.at);
  }
  limits() {
    const start = this.at;
    const bounded = this.byte() & 1;
    this.u32();
    if (bounded) this.u32();
    return this.since(start);
  }
  skip(immediates) {
    for (const kind of immediates) {
      if (kind === 'i') this.signed();
      else if (kind === 'v') this.take(this.u32());
      else if (kind === 'm') this.offsets.add(this.memory());
      else this.at += Number(kind);
    }
  }
  memory() {
    const align = this.u32();
    if (align & 64) this.u32();
    return this.u32();
  }

  /**
   * An expression: its bytes, where it names functions, its 32-bit constants, what it adds to addresses, and where it says
   * how memory is aligned.
   */
  code() {
    const start = this.at;
    const calls = [];
    const hints = [];
    const constants = new Set();
    this.offsets = new Set();
    for (let depth = 1; depth > 0;) {
      const op = this.byte();
      if (WIDTHS[op - 0x28] !== undefined) hints.push([this.at - start, WIDTHS[op - 0x28]]);
      if (op === 0x0b) depth--;
      else if (op >= 0x02 && op <= 0x04) depth++;
      if (op === 0x10 || op === 0x12 || op === 0xd2) {
        const from = this.at - start;
        calls.push({ op, from, callee: this.u32(), to: this.at - start });
      } else if (op === 0x41 || op === 0x42) {
        const value = BigInt.asUintN(64, this.signed());
        // Two pointers side by side are often stored as one number.
        for (const half of [value & 0xffff_ffffn, value >> 32n]) constants.add(Number(half));
      } else if (op === 0x0e) {
        for (let labels = this.u32() + 1; labels > 0; labels--) this.u32();
      } else if (op === 0x44) this.at += 8;
      else if (op === 0xfc) this.skip(BULK[this.u32()]);
      else if (op === 0xfd) {
        const lanes = this.u32();
        if (lanes === 12)
          for (let lane = 0; lane < 16; lane += 4) constants.add(this.view.getUint32(this.at + lane, true));
        if (lanes === 0 || lanes === 11) hints.push([this.at - start, WIDTH_128]);
        this.skip(lanes === 12 ? '88' : simd(lanes));
      } else this.skip(IMMEDIATES.get(op) ?? '');
    }
    return { bytes: this.since(start), calls, constants, offsets: this.offsets, hints };
  }
}

/** A module's parts. Types, globals' kinds, memories and data stay the bytes that they are. */
export function parse(bytes) {
  const reader = new Reader(bytes, 8);
  const module = { imports: [], tables: [], memories: [], globals: [], exports: [], elements: [], names: new Map() };
  const functionNames = (end) => {
    if (reader.name() !== 'name') return;
    while (reader.at < end) {
      const [kind, size] = [reader.byte(), reader.u32()];
      const next = reader.at + size;
      if (kind === 1) module.names = new Map(reader.list(() => [reader.u32(), reader.name()]));
      reader.at = next;
    }
  };
  const read = {
    0: functionNames,
    1: (end) => {
      module.typeSection = bytes.subarray(reader.at, end);
      module.types = reader.list(() => {
        reader.byte();
        return { params: reader.take(reader.u32()), results: reader.take(reader.u32()) };
      });
    },
    2: () => {
      module.imports = reader.list(() => {
        const [space, name, kind] = [reader.name(), reader.name(), reader.byte()];
        if (kind !== 0) throw new Error(`an import that is no function: ${name}`);
        return { space, name, type: reader.u32() };
      });
    },
    3: () => (module.declared = reader.list(() => reader.u32())),
    4: () => {
      module.tables = reader.list(() => {
        const [element, bounded, min] = [reader.byte(), reader.byte(), reader.u32()];
        return { element, min, max: bounded ? reader.u32() : undefined };
      });
    },
    5: () => (module.memories = reader.list(() => reader.limits())),
    6: () => (module.globals = reader.list(() => ({ kind: reader.take(2), init: reader.code() }))),
    7: () => {
      module.exports = reader.list(() => ({ name: reader.name(), kind: reader.byte(), index: reader.u32() }));
    },
    9: () => {
      module.elements = reader.list(() => {
        if (reader.u32() !== 0) throw new Error('an element segment that is no list of functions');
        const [, first] = [reader.byte(), Number(reader.signed())];
        reader.byte();
        return { first, functions: reader.list(() => reader.u32()) };
      });
    },
    10: () => {
      module.bodies = reader.list(() => {
        const end = reader.u32() + reader.at;
        const start = reader.at;
        for (let runs = reader.u32(); runs > 0; runs--) reader.skip('i1');
        const locals = reader.since(start);
        const body = { size: end - start, locals, ...reader.code() };
        if (reader.at !== end) throw new Error('a function that was not understood');
        return body;
      });
    },
    11: (end) => (module.dataSection = bytes.subarray(reader.at, end)),
    12: () => (module.dataCount = reader.u32()),
  };
  while (reader.at < bytes.length) {
    const [id, size] = [reader.byte(), reader.u32()];
    const end = reader.at + size;
    if (!read[id]) throw new Error(`a section of kind ${id}`);
    read[id](end);
    reader.at = end;
  }
  module.functions = [
    ...module.imports.map(({ type }) => ({ type })),
    ...module.bodies.map((body, index) => ({ type: module.declared[index], body })),
  ];
  module.data = dataOf(module.dataSection);
  return module;
}

/** Active segments: address and bytes. */
function dataOf(section) {
  const reader = new Reader(section);
  return reader.list(() => {
    if (reader.u32() !== 0) throw new Error('a data segment that is not active');
    reader.byte();
    const address = Number(reader.signed());
    reader.byte();
    return { address, bytes: reader.take(reader.u32()) };
  });
}

/** What `dataOf` reads. */
export const dataSection = (segments) =>
  list(segments.map(({ address, bytes }) => join([0, 0x41], signed(address), [0x0b], sized(bytes))));

export function u32(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Uint8Array.from([...bytes, value]);
}

export function signed(value) {
  const bytes = [];
  for (; value < -64 || value > 63; value >>= 7) bytes.push((value & 127) | 128);
  return Uint8Array.from([...bytes, value & 127]);
}

export function join(...parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const list = (items) => join(u32(items.length), ...items);
export const name = (text) => {
  const bytes = new TextEncoder().encode(text);
  return join(u32(bytes.length), bytes);
};
const sized = (bytes) => join(u32(bytes.length), bytes);

/** A module of sections by number, in the order of the format; those without anything are left out. */
export function write(sections) {
  const order = [1, 2, 3, 4, 5, 6, 7, 9, 12, 10, 11];
  const written = order.filter((id) => sections[id]).map((id) => join([id], sized(sections[id])));
  return join([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], ...written);
}

/**
 * The same code, every load and store of a kind said to be aligned alike: engines take that for a hint and no more, and
 * what is always the same costs nothing once compressed.
 */
export function aligned({ bytes, hints, ...code }) {
  const alike = Uint8Array.from(bytes);
  // 64 and more says that a memory's number follows.
  for (const [at, width] of hints) if (alike[at] < 64) alike[at] = width;
  return { ...code, bytes: alike };
}

/**
 * A function's body whose calls go to `index(callee)`; those of which `throughTable` tells a place and a type go through
 * the table, after `before`.
 */
export function body({ locals, bytes, calls }, index, throughTable = () => undefined) {
  const parts = [locals];
  let at = 0;
  for (const { op, from, to, callee } of calls) {
    const there = op === 0x10 ? throughTable(callee) : undefined;
    if (!there) parts.push(bytes.subarray(at, from), u32(index(callee)));
    else {
      const { place, type, before } = there;
      parts.push(bytes.subarray(at, from - 1), before, [0x41], signed(place), [0x11], u32(type), [0]);
    }
    at = to;
  }
  return sized(join(...parts, bytes.subarray(at)));
}
