// How many bytes of a Wasm with names are functions whose names match, the largest first, before compression.
//   node benches/functions.mjs target/wasm32-unknown-unknown/release/tidegate.wasm 'tidegate::(detect|keys)::'
import { readFileSync } from 'node:fs';

const SHOWN = 20;
const [path, pattern = '.'] = process.argv.slice(2);
const bytes = readFileSync(path);
let at = 8;

function number() {
  for (let value = 0, scale = 1; ; scale *= 128) {
    const byte = bytes[at++];
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
}
function text() {
  const length = number();
  at += length;
  return bytes.toString('utf8', at - length, at);
}
const times = (count, work) => Array.from({ length: count }, work);

function limits() {
  const flags = bytes[at++];
  number();
  if (flags & 1) number();
}

/** How many functions are imported: theirs are the first numbers. */
function imported() {
  const kinds = times(number(), () => {
    text();
    text();
    const kind = bytes[at++];
    if (kind === 0) number();
    else if (kind === 2) limits();
    else {
      at += 1;
      if (kind === 1) limits();
      else at += 1;
    }
    return kind;
  });
  return kinds.filter((kind) => kind === 0).length;
}

function namesUntil(end) {
  const names = new Map();
  while (at < end) {
    const part = bytes[at++];
    const length = number();
    const next = at + length;
    if (part === 1) times(number(), () => names.set(number(), text()));
    at = next;
  }
  return names;
}

let imports = 0;
let sizes = [];
let names = new Map();
let data = 0;
while (at < bytes.length) {
  const section = bytes[at++];
  const length = number();
  const end = at + length;
  if (section === 2) imports = imported();
  if (section === 11) data = length;
  if (section === 10)
    sizes = times(number(), () => {
      const start = at;
      const size = number();
      at += size;
      return at - start;
    });
  if (section === 0 && text() === 'name') names = namesUntil(end);
  at = end;
}

const all = sizes.map((size, index) => [size, (names.get(imports + index) ?? '?').replace(/::h[0-9a-f]{16}$/, '')]);
const sum = (list) => (list.reduce((total, [size]) => total + size, 0) / 1000).toFixed(1);
const found = all.filter(([, name]) => new RegExp(pattern, 'u').test(name)).sort(([one], [other]) => other - one);
console.log(`${found.length} functions, ${sum(found)} KB of ${sum(all)}; data ${(data / 1000).toFixed(1)} KB`);
for (const [size, name] of found.slice(0, SHOWN)) console.log(`${String(size).padStart(7)}  ${name}`);
