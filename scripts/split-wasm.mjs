// Splits the small build in two: what the first answer needs, and the rest, which loads after it or when it is needed.
// Both are one program: one memory, one table, the globals of the first. Calls into the rest go through the table, whose
// places are empty until the rest is there, so `scripts/split-entries.mjs` lists what may only be called then.
//
//   node scripts/split-wasm.mjs NAMED.wasm FIRST.wasm REST.wasm GLUE.js

import { readFileSync, writeFileSync } from 'node:fs';
import { EXPORTS, FUNCTIONS } from './split-entries.mjs';
import { body, join, list, name, parse, signed, u32, write } from './wasm-module.mjs';

/** How far into a vtable a method may be: `fmt::Write`, the longest, has drop, size, alignment and three methods. */
const VTABLE_BYTES = 32;
/** Functions up to this many bytes are in both parts, when they need nothing else: an export costs as much. */
const COPIED = 40;

const [, , input, firstPath, restPath, gluePath] = process.argv;
const module = parse(readFileSync(input));
const { functions, imports } = module;
const nameOf = (index) => readable(module.names.get(index) ?? `function ${index}`);
const isImport = (index) => index < imports.length;

/** A legacy-mangled name as the source has it, without the hash. */
function readable(mangled) {
  const letters = { LT: '<', GT: '>', u20: ' ', C: ',', RF: '&', BP: '*', LP: '(', RP: ')', u7b: '{', u7d: '}' };
  return mangled
    .replace(/::h[0-9a-f]{16}$/, '')
    .replace(/\$(\w+)\$/g, (all, code) => letters[code] ?? all)
    .replace(/\.\./g, '::')
    .replace(/^_</, '<');
}

/** Functions by their place in the table. The linker begins at a number that is rarely anything else (build-wasm.sh). */
const places = new Map();
for (const { first, functions } of module.elements) {
  functions.forEach((index, offset) => places.set(first + offset, index));
}

/** The data's words by address, those that are places in the table apart. Segments leave zeros out, within words too. */
const words = new Map();
const vtables = new Map();
const begin = module.data[0].address & ~15;
const memory = new Uint8Array(
  Math.max(...module.data.map(({ address, bytes }) => address + bytes.length)) - begin + 16,
);
for (const { address, bytes } of module.data) memory.set(bytes, address - begin);
for (let at = 0; at + 4 <= memory.length; at += 4) {
  const word = new DataView(memory.buffer).getUint32(at, true);
  words.set(begin + at, word);
  if (places.has(word)) vtables.set(begin + at, places.get(word));
}
const constants = new Set(functions.flatMap(({ body }) => [...(body?.constants ?? [])]));
const pointers = new Set([...words.values()].filter((word) => !places.has(word)));

const isPointedTo = (address) => constants.has(address) || pointers.has(address);

/** Whether what lies at an address looks like the head of a vtable: drop or none, size and alignment. */
function isHead(address) {
  const [drop, size, alignment] = [0, 4, 8].map((offset) => words.get(address + offset));
  return (
    (drop === 0 || places.has(drop)) && size < 65536 && [1, 2, 4, 8, 16].includes(alignment) && size % alignment === 0
  );
}

/** Whom a constant may lead to: a function's own place, or the address of a vtable or of what holds functions. */
function ledBy(constant) {
  if (places.has(constant)) return [places.get(constant)];
  const found = [];
  if (constant % 4 !== 0) return found;
  for (let at = constant; at < constant + VTABLE_BYTES; at += 4) {
    if (at > constant && isPointedTo(at) && isHead(at)) break; // another vtable
    if (vtables.has(at)) found.push(vtables.get(at));
  }
  return found;
}

const exported = new Map(module.exports.filter(({ kind }) => kind === 0).map(({ name, index }) => [index, name]));
const leads = functions.map(({ body }) =>
  body ? [...new Set([...body.calls.map(({ callee }) => callee), ...[...body.constants].flatMap(ledBy)])] : [],
);

/** Whether a word of the data is in a vtable: its drop, or a method with nothing but methods between it and the head. */
function isInVtable(at) {
  if (isHead(at)) return true;
  for (let head = at - 12; head > at - VTABLE_BYTES && vtables.has(head + 12); head -= 4) if (isHead(head)) return true;
  return false;
}

/**
 * Functions that anybody may call: those that the data names outside a vtable (tables, what makes a static), and those of
 * a vtable that no constant leads to. Not so the first method of a vtable that nobody points to; what is in use of it
 * was pointed to by itself.
 */
const named = new Set(leads.flat());
const isDead = (at) => isHead(at - 12) && !isPointedTo(at - 12);
const isFree = (at, index) => !isInVtable(at) || (!named.has(index) && !isDead(at));
const unexplained = [...vtables].filter(([at, index]) => isFree(at, index)).map(([, index]) => index);

/** What may run before the rest is there: all that is reached without passing an entry. */
const first = new Set();
const passes = (by, index) => (FUNCTIONS[nameOf(index)] ?? []).includes(nameOf(by));
const roots = [...exported].filter(([, name]) => !EXPORTS.test(name)).map(([index]) => index);
const reached = [...roots, ...[...pointers].flatMap(ledBy), ...unexplained];
while (reached.length > 0) {
  const index = reached.pop();
  if (first.has(index)) continue;
  first.add(index);
  reached.push(...leads[index].filter((callee) => !passes(index, callee)));
}

const defined = functions.map((_, index) => index).filter((index) => !isImport(index));
const size = (index) => functions[index].body.size;
const rest = defined.filter((index) => !first.has(index));
const copied = new Set(defined.filter((index) => first.has(index) && size(index) <= COPIED && !leads[index].length));

/** Entries in the order of their places: those in the table already keep theirs, the others follow. */
const calledByFirst = new Set(
  [...first].flatMap((index) => functions[index].body?.calls.map(({ callee }) => callee) ?? []),
);
const placeOf = new Map([...places].map(([place, index]) => [index, place]));
const table = module.tables[0];
const stubs = rest.filter((index) => calledByFirst.has(index) || exported.has(index));
let places_end = table.min;
for (const index of stubs) if (!placeOf.has(index)) placeOf.set(index, places_end++);
const tables = [{ ...table, min: places_end, max: table.max && places_end }, ...module.tables.slice(1)];

/** What passes its arguments on to the function at its place in the table. */
function stub(index) {
  const { type } = functions[index];
  const args = [...module.types[type].params].flatMap((_, local) => [0x20, ...u32(local)]);
  const bytes = Uint8Array.from([...args, 0x41, ...signed(placeOf.get(index)), 0x11, ...u32(type), 0, 0x0b]);
  return { locals: Uint8Array.of(0), bytes, calls: [] };
}

const typed = (indices) => list(indices.map((index) => u32(functions[index].type)));
const limits = ({ min, max }) => (max === undefined ? join([0], u32(min)) : join([1], u32(min), u32(max)));
const tableType = (table) => join([table.element], limits(table));
/** Runs of the table's functions that are in one part. */
function elements(has, index) {
  const runs = [];
  let before;
  for (const [place, of] of [...placeOf].map(([of, place]) => [place, of]).sort(([a], [b]) => a - b)) {
    if (!has(of)) continue;
    if (place !== before + 1) runs.push({ place, items: [] });
    runs.at(-1).items.push(u32(index(of)));
    before = place;
  }
  return list(runs.map(({ place, items }) => join([0, 0x41], signed(place), [0x0b], list(items))));
}
/** New indices: `imported` first, then `own`. */
const indices = (imported, own) => new Map([...imported, ...own].map((index, at) => [index, at]));

// The imports that only the rest uses are its own: the generated glue gives the same to both.
const usedBy = (indices) =>
  new Set(indices.flatMap((index) => functions[index].body.calls.map(({ callee }) => callee)));
const own = defined.filter((index) => first.has(index));
const restOwn = [...rest, ...copied];
const usedByFirst = usedBy(own);
const usedByRest = usedBy(restOwn);
const allImports = imports.map((_, index) => index);
// Generated names end in hashes, which do not compress: numbers do. Those of modules are the modules' own.
const GENERATED = './tidegate_bg.js';
const importName = (index) => (imports[index].space === GENERATED ? `i${index}` : imports[index].name);
const importOf = (index) => join(name(imports[index].space), name(importName(index)), [0], u32(imports[index].type));
const numbers = new Map(imports.map(({ name }, index) => [name, importName(index)]));
const glue = readFileSync(gluePath, 'utf8').replace(/\b__wb\w+/g, (own) => numbers.get(own) ?? own);
// The rest takes the same from JavaScript.
writeFileSync(gluePath, `${glue}\nexport { __wbg_get_imports as imports };\n`);

const firstImports = allImports.filter((index) => usedByFirst.has(index) || exported.has(index));
const inFirst = indices(firstImports, [...own, ...stubs]);
const shared = [...usedByRest].filter((index) => !isImport(index) && first.has(index) && !copied.has(index));
shared.sort((a, b) => a - b);
const short = (at) => at.toString(36);
const firstExport = ({ name: text, kind, index }) =>
  join(name(text), [kind], u32(kind === 0 ? inFirst.get(index) : index));
const given = [
  ...shared.map((index) => ({ kind: 0, index })),
  ...module.globals.map((_, index) => ({ kind: 3, index })),
  ...tables.map((_, index) => ({ kind: 1, index })),
];

writeFileSync(
  firstPath,
  write({
    1: module.typeSection,
    2: list(firstImports.map(importOf)),
    3: typed([...own, ...stubs]),
    4: list(tables.map(tableType)),
    5: list(module.memories),
    6: list(module.globals.map(({ kind, init }) => join(kind, init.bytes))),
    7: list([...module.exports, ...given.map((item, at) => ({ ...item, name: short(at) }))].map(firstExport)),
    9: elements(
      (index) => first.has(index),
      (index) => inFirst.get(index),
    ),
    12: module.dataCount === undefined ? undefined : u32(module.dataCount),
    10: list(
      [...own.map((index) => functions[index].body), ...stubs.map(stub)].map((code) =>
        body(code, (index) => inFirst.get(index)),
      ),
    ),
    11: module.dataSection,
  }),
);

const restImports = allImports.filter((index) => usedByRest.has(index));
const inRest = indices([...restImports, ...shared], restOwn);
const FIRST = name('first');
writeFileSync(
  restPath,
  write({
    1: module.typeSection,
    2: list([
      ...restImports.map(importOf),
      ...given.map(({ kind, index }, at) => {
        const type = {
          0: () => u32(functions[index].type),
          1: () => tableType(tables[index]),
          3: () => module.globals[index].kind,
        };
        return join(FIRST, name(short(at)), [kind], type[kind]());
      }),
      join(FIRST, name('memory'), [2], module.memories[0]),
    ]),
    3: typed(restOwn),
    9: elements(
      (index) => !isImport(index) && !first.has(index),
      (index) => inRest.get(index),
    ),
    10: list(restOwn.map((index) => body(functions[index].body, (callee) => inRest.get(callee)))),
  }),
);
const sum = (indices) => indices.reduce((total, index) => total + size(index), 0);
console.log(
  `split: ${own.length} functions of ${sum(own)} bytes first, ${rest.length} of ${sum(rest)} in the rest, ${stubs.length} entries, ${shared.length} shared`,
);
for (const entry of Object.keys(FUNCTIONS)) {
  if (rest.some((index) => nameOf(index) === entry)) continue;
  const by = [...first].filter((index) => functions[index].body?.calls.some(({ callee }) => nameOf(callee) === entry));
  console.log(`split: ${entry} loads first: called by ${by.map(nameOf).join(', ') || 'nobody'}`);
}
