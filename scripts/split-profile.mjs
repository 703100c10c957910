// Which functions of a module run in scripts/split-scenario.mjs. Each says so in a global of its own, so that nothing
// else of the module moves. The same module gives the same functions: clock and randomness are given.

import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { join, list, name, signed, u32, write, body } from './wasm-module.mjs';
import { answers } from './split-scenario.mjs';

const I32 = 0x7f;
/** Winter and summer. */
const TIMES = [Date.UTC(2026, 0, 15, 12), Date.UTC(2027, 6, 30, 23, 59)];

/** The module with a mutable global for each function, exported under its index, that its first call sets to 1. */
function marked({ imports, functions, tables, memories, globals, exports, elements, ...module }) {
  const defined = functions.map((_, index) => index).slice(imports.length);
  const mark = (index) => globals.length + index - imports.length;
  const marks = (index) => {
    const { locals, bytes, calls } = functions[index].body;
    const prefix = join([0x41, 1, 0x24], u32(mark(index)));
    const moved = calls.map(({ from, to, callee }) => ({
      from: from + prefix.length,
      to: to + prefix.length,
      callee,
    }));
    return body({ locals, bytes: join(prefix, bytes), calls: moved }, (callee) => callee);
  };
  const limits = ({ min, max }) => (max === undefined ? join([0], u32(min)) : join([1], u32(min), u32(max)));
  return write({
    1: module.typeSection,
    2: list(imports.map(({ space, name: own, type }) => join(name(space), name(own), [0], u32(type)))),
    3: list(defined.map((index) => u32(functions[index].type))),
    4: list(tables.map((table) => join([table.element], limits(table)))),
    5: list(memories),
    6: list([
      ...globals.map(({ kind, init }) => join(kind, init.bytes)),
      ...defined.map(() => Uint8Array.of(I32, 1, 0x41, 0, 0x0b)),
    ]),
    7: list([
      ...exports.map((own) => join(name(own.name), [own.kind], u32(own.index))),
      ...defined.map((index) => join(name(`ran ${index}`), [3], u32(mark(index)))),
    ]),
    9: list(elements.map(({ first, functions: own }) => join([0, 0x41], signed(first), [0x0b], list(own.map(u32))))),
    12: module.dataCount === undefined ? undefined : u32(module.dataCount),
    10: list(defined.map(marks)),
    11: module.dataSection,
  });
}

/** Runs `work` with a clock that stands and randomness that repeats. */
async function repeatably(at, work) {
  const { now } = Date;
  const { getRandomValues } = crypto;
  let drawn = 1 + (at % 1_000_003);
  Date.now = () => at;
  crypto.getRandomValues = (bytes) => {
    for (let at = 0; at < bytes.length; at++) bytes[at] = drawn = (drawn * 48_271) % 0x7fff_ffff;
    return bytes;
  };
  try {
    return await work();
  } finally {
    Date.now = now;
    crypto.getRandomValues = getRandomValues;
  }
}

/** Lets go of what nobody holds any more, as the runtime does some time: what finalizers call loads first too. */
async function collect() {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  for (let turn = 0; turn < 5; turn++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

let instances = 0;

/** The exports of a module after the scenario. `gluePath` is its generated glue. */
export async function run(bytes, gluePath) {
  // Glue keeps its instance for ever; another address is another module.
  const glue = await import(`${pathToFileURL(gluePath).href}?${instances++}`);
  const exports = glue.initSync({ module: bytes });
  for (const at of TIMES) await repeatably(at, () => answers(glue, basename(gluePath, '.js'), () => at));
  await collect();
  return exports;
}

/** The indices of the functions that ran. */
export async function ran(module, gluePath) {
  const exports = await run(marked(module), gluePath);
  return new Set(module.functions.map((_, index) => index).filter((index) => exports[`ran ${index}`]?.value === 1));
}
