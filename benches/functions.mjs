// How many bytes of a Wasm with names are functions whose names match, the largest first, before compression.
//   node benches/functions.mjs target/wasm32-unknown-unknown/release/tidegate.wasm 'tidegate::(detect|keys)::'
import { readFileSync } from 'node:fs';

import { Reader } from '../scripts/wasm-module.mjs';

const SHOWN = 20;
const [path, pattern = '.'] = process.argv.slice(2);
// Also of a module that nothing was cut from yet, with tables and memories among its imports.
const reader = new Reader(readFileSync(path), 8);

/** How many functions are imported: theirs are the first numbers. */
function imported() {
  const kinds = reader.list(() => {
    reader.name();
    reader.name();
    const kind = reader.byte();
    // A function's type, a table's element and limits, a memory's limits, a global's type and whether it changes.
    if (kind === 1 || kind === 3) reader.byte();
    if (kind === 0) reader.u32();
    else if (kind === 3) reader.byte();
    else reader.limits();
    return kind;
  });
  return kinds.filter((kind) => kind === 0).length;
}

function namesUntil(end) {
  let names = new Map();
  while (reader.at < end) {
    const [part, length] = [reader.byte(), reader.u32()];
    const next = reader.at + length;
    if (part === 1) names = new Map(reader.list(() => [reader.u32(), reader.name()]));
    reader.at = next;
  }
  return names;
}

let imports = 0;
let sizes = [];
let names = new Map();
let data = 0;
while (reader.at < reader.bytes.length) {
  const [section, length] = [reader.byte(), reader.u32()];
  const end = reader.at + length;
  if (section === 2) imports = imported();
  if (section === 11) data = length;
  if (section === 10)
    sizes = reader.list(() => {
      const start = reader.at;
      reader.take(reader.u32());
      return reader.at - start;
    });
  if (section === 0 && reader.name() === 'name') names = namesUntil(end);
  reader.at = end;
}

const all = sizes.map((size, index) => [size, (names.get(imports + index) ?? '?').replace(/::h[0-9a-f]{16}$/, '')]);
const sum = (list) => (list.reduce((total, [size]) => total + size, 0) / 1000).toFixed(1);
const found = all.filter(([, name]) => new RegExp(pattern, 'u').test(name)).sort(([one], [other]) => other - one);
console.log(`${found.length} functions, ${sum(found)} KB of ${sum(all)}; data ${(data / 1000).toFixed(1)} KB`);
for (const [size, name] of found.slice(0, SHOWN)) console.log(`${String(size).padStart(7)}  ${name}`);
