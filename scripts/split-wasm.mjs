// Splits the small build in two: what the first answer needs, and the rest, which loads after it or when it is needed.
// Both are one program: one memory, one table, the globals of the first. What runs in `scripts/split-scenario.mjs` comes
// first. Calls into the rest go through the table. What may only be called once the rest is awaited
// (`scripts/split-entries.mjs`) has an empty place there; at the place of anything else stands a net: it has the rest
// loaded at once, which takes all those places, and makes the call.
//
//   node scripts/split-wasm.mjs NAMED.wasm FIRST.wasm REST.wasm GLUE.js

import { readFileSync, writeFileSync } from 'node:fs';
import { EXPORTS, FUNCTIONS, KEPT } from './split-entries.mjs';
import { ran } from './split-profile.mjs';
import { body, join, list, name, parse, signed, u32, write } from './wasm-module.mjs';

/** How far into a vtable a method may be: `fmt::Write`, the longest, has drop, size, alignment and three methods. */
const VTABLE_BYTES = 32;
/** Functions up to this many bytes are in both parts, when they need nothing else: an export costs as much. */
const COPIED = 40;
/** Functions up to this many bytes load first if they may be called: a net is as large. */
const TINY = 20;

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

/** What may run before the rest is awaited: all that is reached without passing an entry. */
const reachable = new Set();
const passes = (by, index) => (FUNCTIONS[nameOf(index)] ?? []).includes(nameOf(by));
const roots = [...exported].filter(([, name]) => !EXPORTS.test(name)).map(([index]) => index);
const reached = [...roots, ...[...pointers].flatMap(ledBy), ...unexplained];
while (reached.length > 0) {
  const index = reached.pop();
  if (reachable.has(index)) continue;
  reachable.add(index);
  reached.push(...leads[index].filter((callee) => !passes(index, callee)));
}

const defined = functions.map((_, index) => index).filter((index) => !isImport(index));
const size = (index) => functions[index].body.size;
// Hardly optimised, its functions are others, and what runs in them hangs on more: then all that may run comes first.
const runs = process.env.TIDEGATE_WASM === 'quick' ? new Set(reachable) : await ran(module, gluePath);
for (const index of runs) {
  if (reachable.has(index)) continue;
  console.log(`split: ${nameOf(index)} loads first: it runs before what split-entries.mjs says it comes after`);
  reachable.add(index);
}

/** What loads first: what runs, and what is no larger than its net would be. */
const first = new Set(
  [...reachable].filter(
    (index) => isImport(index) || runs.has(index) || size(index) <= TINY || KEPT.test(nameOf(index)),
  ),
);
const rest = defined.filter((index) => !first.has(index));
const copied = new Set(defined.filter((index) => first.has(index) && size(index) <= COPIED && !leads[index].length));

/** Places of the rest's functions: those in the table already keep theirs, the others follow. */
const calledByFirst = new Set(
  [...first].flatMap((index) => functions[index].body?.calls.map(({ callee }) => callee) ?? []),
);
const placeOf = new Map([...places].map(([place, index]) => [index, place]));
const table = module.tables[0];
const called = rest.filter((index) => calledByFirst.has(index) || exported.has(index));
let places_end = table.min;
for (const index of called) if (!placeOf.has(index)) placeOf.set(index, places_end++);
const tables = [{ ...table, min: places_end, max: table.max && places_end }, ...module.tables.slice(1)];
const throughTable = (index) => (first.has(index) ? undefined : placeOf.get(index));
const typeOf = (index) => functions[index].type;

/** What stands at the places of what may be called before anybody awaited the rest, and what is exported of the rest. */
const nets = rest.filter((index) => reachable.has(index) && placeOf.has(index));
const stubs = rest.filter((index) => exported.has(index));

/** What passes its arguments on to the function at its place in the table, after `before`. */
function passing(index, before = []) {
  const args = [...module.types[typeOf(index)].params].flatMap((_, local) => [0x20, ...u32(local)]);
  const call = [0x41, ...signed(placeOf.get(index)), 0x11, ...u32(typeOf(index)), 0];
  return { locals: Uint8Array.of(0), bytes: Uint8Array.from([...before, ...args, ...call, 0x0b]), calls: [] };
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
// The rest takes the same from JavaScript. What loads it at once is told after the first part is there.
const JOINT = `
const generated = __wbg_get_imports;
let missing;
__wbg_get_imports = () => ({ ...generated(), rest: { load: () => missing() } });
export const onMissing = (load) => void (missing = load);
export { generated as imports };
`;
writeFileSync(gluePath, `${glue}${JOINT}`);

const firstImports = allImports.filter((index) => usedByFirst.has(index) || exported.has(index));
// `LOAD` and the nets are nobody's of the whole module.
const LOAD = 'load';
const netOf = (index) => `net ${index}`;
const inFirst = indices([...firstImports, LOAD], [...own, ...stubs, ...nets.map(netOf)]);
const load = [0x10, ...u32(inFirst.get(LOAD))];
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

const voidType = module.types.findIndex(({ params, results }) => params.length + results.length === 0);
if (voidType < 0) throw new Error('no function takes and gives nothing');
const loadImport = join(name('rest'), name('load'), [0], u32(voidType));
const inFirstTable = (index) => inFirst.get(first.has(index) ? index : netOf(index));

writeFileSync(
  firstPath,
  write({
    1: module.typeSection,
    2: list([...firstImports.map(importOf), loadImport]),
    3: typed([...own, ...stubs, ...nets]),
    4: list(tables.map(tableType)),
    5: list(module.memories),
    6: list(module.globals.map(({ kind, init }) => join(kind, init.bytes))),
    7: list([...module.exports, ...given.map((item, at) => ({ ...item, name: short(at) }))].map(firstExport)),
    9: elements((index) => inFirstTable(index) !== undefined, inFirstTable),
    12: module.dataCount === undefined ? undefined : u32(module.dataCount),
    10: list([
      ...own.map((index) => body(functions[index].body, (callee) => inFirst.get(callee), throughTable, typeOf)),
      ...stubs.map((index) => body(passing(index))),
      ...nets.map((index) => body(passing(index, load))),
    ]),
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
  `split: ${own.length} functions of ${sum(own)} bytes first, ${rest.length} of ${sum(rest)} in the rest, ${nets.length} nets, ${shared.length} shared`,
);
for (const entry of Object.keys(FUNCTIONS)) {
  if (rest.some((index) => nameOf(index) === entry)) continue;
  const by = [...first].filter((index) => functions[index].body?.calls.some(({ callee }) => nameOf(callee) === entry));
  console.log(`split: ${entry} loads first: called by ${by.map(nameOf).join(', ') || 'nobody'}`);
}
