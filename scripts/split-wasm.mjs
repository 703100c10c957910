// Splits a build for browsers in two: what the first answer needs, and the rest, which loads after it or when it is needed.
// Both are one program: one memory, one table, the globals of the first. What runs in `scripts/split-scenario.mjs` comes
// first. Calls into the rest go through the table, where its functions have empty places. What may be called before the
// rest is awaited (all but `scripts/split-entries.mjs`) has the rest loaded at once, which fills all those places: whoever
// calls it by name asks first whether the rest is there; where an address may be all that is known of it, a net stands at
// its place until then, which does the same.
//
//   node scripts/split-wasm.mjs NAMED.wasm FIRST.wasm REST.wasm GLUE.js REST-GLUE.js LINKED.wasm

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { EXPORTS, FUNCTIONS, KEPT, readable } from './split-entries.mjs';
import { splitData } from './split-data.mjs';
import { splitGlue } from './split-glue.mjs';
import { ordered } from './split-order.mjs';
import { ran } from './split-profile.mjs';
import { aligned, body, dataSection, join, list, name, parse, signed, u32, write } from './wasm-module.mjs';

/** How far into a vtable a method may be: `fmt::Write`, the longest, has drop, size, alignment and three methods. */
const VTABLE_BYTES = 32;
/** Functions up to this many bytes are in both parts, when they need nothing else: an export costs as much. */
const COPIED = 40;
/** Functions up to this many bytes load first if they may be called: a net is as large. */
const TINY = 20;
/** What is called by name at more places than this has a net: to ask at each would be longer. */
const NETTED = 5;

const [, , input, firstPath, restPath, gluePath, restGluePath, linkedPath] = process.argv;
const whole = readFileSync(input);
const module = parse(whole);
/**
 * The name that the parts and their glue know each other by. All else is told by number, so that parts of two builds, one of
 * them from a cache, might fit and be nonsense together.
 */
const BUILD = createHash('sha256').update(whole).digest('base64url').slice(0, 6);
const { functions, imports } = module;
const nameOf = (index) => readable(module.names.get(index) ?? `function ${index}`);
const isImport = (index) => index < imports.length;

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
const callsByFirst = new Map();
for (const index of first) {
  for (const { callee } of functions[index].body?.calls ?? []) {
    callsByFirst.set(callee, (callsByFirst.get(callee) ?? 0) + 1);
  }
}
const placeOf = new Map([...places].map(([place, index]) => [index, place]));
const table = module.tables[0];
const called = rest.filter((index) => callsByFirst.has(index) || exported.has(index));
/**
 * What asks whether the rest is there before it calls on: nets, and what is exported and need not be awaited. The rest's
 * other exports are its own.
 */
const needsNet = (index) => reachable.has(index) && (placeOf.has(index) || callsByFirst.get(index) > NETTED);
const nets = new Set(rest.filter(needsNet));
const stubs = rest.filter((index) => reachable.has(index) && exported.has(index));
let placesEnd = table.min;
for (const index of called) if (!placeOf.has(index)) placeOf.set(index, placesEnd++);
const typeOf = (index) => functions[index].type;

/** What passes its arguments on to the function at its place in the table, once the rest is there. */
function passing(index) {
  const args = [...module.types[typeOf(index)].params].flatMap((_, local) => [0x20, ...u32(local)]);
  const call = [0x41, ...signed(placeOf.get(index)), 0x11, ...u32(typeOf(index)), 0];
  return { locals: Uint8Array.of(0), bytes: Uint8Array.from([...sure, ...args, ...call, 0x0b]), calls: [] };
}

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
  return runs.map(({ place, items }) => join([0, 0x41], signed(place), [0x0b], list(items)));
}
/** New indices: `imported` first, then `own`. */
const indices = (imported, own) => new Map([...imported, ...own].map((index, at) => [index, at]));

// The imports that only the rest uses are its own: the generated glue gives the same to both.
const usedBy = (indices) =>
  new Set(indices.flatMap((index) => functions[index].body.calls.map(({ callee }) => callee)));
const codeOf = (index) => functions[index].body.bytes;
const own = ordered(
  defined.filter((index) => first.has(index)),
  codeOf,
);
const restOwn = ordered([...rest, ...copied], codeOf);
const usedByFirst = usedBy(own);
const usedByRest = usedBy(restOwn);
const allImports = imports.map((_, index) => index);
// Generated names end in hashes, which do not compress: numbers do. Those of modules are the modules' own.
const GENERATED = `./${basename(gluePath, '.js')}_bg.js`;
const importName = (index) => (imports[index].space === GENERATED ? `i${index}` : imports[index].name);
const importOf = (index, space = imports[index].space) =>
  join(name(space === GENERATED ? BUILD : space), name(importName(index)), [0], u32(imports[index].type));
const numbers = new Map(imports.map(({ name }, index) => [name, importName(index)]));
// The functions that the glue calls are told by number too, in both files; `memory` and the like keep their names.
const exportNumbers = new Map([...exported.values()].map((name, at) => [name, `e${at}`]));
const exportName = (name) => exportNumbers.get(name) ?? name;
const glue = readFileSync(gluePath, 'utf8')
  .replaceAll(`"${GENERATED}"`, `"${BUILD}"`)
  .replace(/\b__wb\w+/g, (own) => numbers.get(own) ?? own)
  .replace(/\bwasm\.(\w+)/g, (_, own) => `wasm.${exportName(own)}`);

const firstImports = allImports.filter((index) => usedByFirst.has(index) || exported.has(index));
// `LOAD`, `SURE` and the nets are nobody's of the whole module.
const LOAD = 'load';
const SURE = 'sure';
const netOf = (index) => `net ${index}`;
const inFirst = indices([...firstImports, LOAD], [...own, SURE, ...stubs, ...[...nets].map(netOf)]);
const sure = [0x10, ...u32(inFirst.get(SURE))];
/** How the first calls what is in the rest. */
const throughTable = (index) =>
  first.has(index)
    ? undefined
    : {
        place: placeOf.get(index),
        type: typeOf(index),
        before: reachable.has(index) && !nets.has(index) ? sure : [],
      };
/** Has the rest loaded if a place that it fills is empty. */
const sign = called.find((index) => !nets.has(index));
if (sign === undefined && nets.size + stubs.length > 0) throw new Error('no place tells whether the rest is there');
const isEmpty = sign === undefined ? [] : [0x41, ...signed(placeOf.get(sign)), 0x25, 0, 0xd1];
const loads = sign === undefined ? [] : [0x04, 0x40, 0x10, ...u32(inFirst.get(LOAD)), 0x0b];
const sureBody = body({ locals: Uint8Array.of(0), bytes: Uint8Array.from([...isEmpty, ...loads, 0x0b]), calls: [] });

// The rest takes the first's functions out of the table: an export each would be longer.
const shared = [...usedByRest].filter((index) => !isImport(index) && first.has(index) && !copied.has(index));
shared.sort((a, b) => inFirst.get(a) - inFirst.get(b));
const sharedAt = placesEnd;
placesEnd += shared.length;
const tables = [{ ...table, min: placesEnd, max: table.max && placesEnd }, ...module.tables.slice(1)];
const given = [
  ...module.globals.map((_, index) => ({ name: `g${index}`, kind: 3, index })),
  ...tables.map((_, index) => ({ name: `t${index}`, kind: 1, index })),
];
const isOfFirst = ({ kind, index }) => kind !== 0 || inFirst.has(index);
// What nobody imports but who waited for the rest is in the glue that comes with it. That may be later than the rest, which
// can be loaded at once.
const LATE = 'late';
const early = usedBy([...own, ...restOwn.filter((index) => reachable.has(index))]);
const isLateImport = (index) => !early.has(index) && !exported.has(index);
const importNames = (indices) => new Set(indices.map(importName));
const lateExports = new Set(module.exports.filter((item) => !isOfFirst(item)).map((item) => exportName(item.name)));
const {
  first: firstGlue,
  rest: restGlue,
  inBoth,
} = splitGlue(
  glue,
  BUILD,
  (name) => lateExports.has(name),
  importNames(allImports.filter((index) => !isLateImport(index))),
  importNames(allImports.filter(isLateImport)),
);
// The glue gives the rest what it gave to the first, and its functions. What loads the rest at once is told later.
const JOINT = `
const generated = __wbg_get_imports;
let missing;
__wbg_get_imports = () => {
  const all = generated();
  all['${BUILD}'].load = () => missing();
  return all;
};
export const onMissing = (load) => void (missing = load);
export const imports = () => {
  const shared = Array.from({ length: ${shared.length} }, (_, at) => wasm.t0.get(${sharedAt} + at));
  const waiting = new Proxy({}, { get: (_, name) => (...args) => late[name](...args) });
  const all = generated();
  return { ...all, ${LATE}: waiting, '${BUILD}': Object.assign(shared, all['${BUILD}'], wasm) };
};
export const joined = ({ exports }) => void (wasm = { ...wasm, ...exports });
let late;
export const completed = (rest) => {
  late = rest.joinedTo(wasm, '${BUILD}');
  for (const [own, { prototype }] of [${inBoth.map((name) => `[${name}, rest.${name}]`).join(', ')}]) {
    const { constructor, ...methods } = Object.getOwnPropertyDescriptors(prototype);
    Object.defineProperties(own.prototype, methods);
  }
};
`;
writeFileSync(gluePath, `${firstGlue}${JOINT}`);
writeFileSync(restGluePath, restGlue);

const exportOf =
  (indices) =>
  ({ name: text, kind, index }) =>
    join(name(exportName(text)), [kind], u32(kind === 0 ? indices.get(index) : index));

const voidType = module.types.findIndex(({ params, results }) => params.length + results.length === 0);
if (voidType < 0) throw new Error('no function takes and gives nothing');
const loadImport = join(name(BUILD), name('load'), [0], u32(voidType));
const inFirstTable = (index) => inFirst.get(first.has(index) ? index : netOf(index));

const typed = (types) => list(types.map(u32));
const numbersOf = (index) => [...functions[index].body.constants, ...functions[index].body.offsets];
const [firstData, restData] = splitData(module.data, new Set(own.flatMap(numbersOf)), readFileSync(linkedPath));
const sharedElements = join([0, 0x41], signed(sharedAt), [0x0b], list(shared.map((index) => u32(inFirst.get(index)))));
writeFileSync(
  firstPath,
  write({
    1: module.typeSection,
    2: list([...firstImports.map((index) => importOf(index)), loadImport]),
    3: typed([...own.map(typeOf), voidType, ...stubs.map(typeOf), ...[...nets].map(typeOf)]),
    4: list(tables.map(tableType)),
    5: list(module.memories),
    6: list(module.globals.map(({ kind, init }) => join(kind, init.bytes))),
    7: list([...module.exports.filter(isOfFirst), ...given].map(exportOf(inFirst))),
    9: list([...elements((index) => inFirstTable(index) !== undefined, inFirstTable), sharedElements]),
    10: list([
      ...own.map((index) => body(aligned(functions[index].body), (callee) => inFirst.get(callee), throughTable)),
      sureBody,
      ...[...stubs, ...nets].map((index) => body(passing(index))),
    ]),
    11: dataSection(firstData),
  }),
);

const restImports = allImports.filter((index) => usedByRest.has(index));
const inRest = indices([...restImports, ...shared], restOwn);
const FIRST = name(BUILD);
writeFileSync(
  restPath,
  write({
    1: module.typeSection,
    2: list([
      ...restImports.map((index) => importOf(index, isLateImport(index) ? LATE : undefined)),
      ...shared.map((index, at) => join(FIRST, name(String(at)), [0], u32(typeOf(index)))),
      ...given.map(({ name: text, kind, index }) =>
        join(FIRST, name(text), [kind], kind === 1 ? tableType(tables[index]) : module.globals[index].kind),
      ),
      join(FIRST, name('memory'), [2], module.memories[0]),
    ]),
    3: typed(restOwn.map(typeOf)),
    7: list(module.exports.filter((item) => !isOfFirst(item)).map(exportOf(inRest))),
    9: list(
      elements(
        (index) => !isImport(index) && !first.has(index),
        (index) => inRest.get(index),
      ),
    ),
    10: list(restOwn.map((index) => body(aligned(functions[index].body), (callee) => inRest.get(callee)))),
    11: dataSection(restData),
  }),
);
const sum = (indices) => indices.reduce((total, index) => total + size(index), 0);
console.log(
  `split: ${own.length} functions of ${sum(own)} bytes first, ${rest.length} of ${sum(rest)} in the rest, ${nets.size} nets, ${shared.length} shared`,
);
for (const entry of Object.keys(FUNCTIONS)) {
  if (rest.some((index) => nameOf(index) === entry)) continue;
  const by = [...first].filter((index) => functions[index].body?.calls.some(({ callee }) => nameOf(callee) === entry));
  console.log(`split: ${entry} loads first: called by ${by.map(nameOf).join(', ') || 'nobody'}`);
}
