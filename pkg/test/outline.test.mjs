// What scripts/split-outline.mjs takes out of functions runs as it did before: made-up functions with every kind of way out,
// whatever of them is taken out.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import binaryen from 'binaryen';
import { forked, outlined } from '../../scripts/split-outline.mjs';

/** The same numbers for the same seed. */
function dice(seed) {
  let state = (seed + 2) * 48_271;
  return (sides) => ((state = (state * 48_271) % 0x7fff_ffff) >>> 8) % sides;
}

const LOCALS = ['$a', '$b', '$c', '$d', '$e'];

/** A function of statements that branch, loop, return, and write locals on some ways only. */
function program(seed) {
  const roll = dice(seed);
  const one = (list) => list[roll(list.length)];
  let labels = 0;
  const value = (depth = 2) =>
    [
      () => `(local.get ${one(LOCALS)})`,
      () => `(i32.const ${roll(64)})`,
      () => `(i32.wrap_i64 (local.get $l))`,
      () => (depth ? `(i32.${one(['add', 'xor', 'sub', 'lt_u'])} ${value(depth - 1)} ${value(depth - 1)})` : value(0)),
      () => `(i32.load (i32.and ${depth ? value(depth - 1) : '(local.get $a)'} (i32.const 252)))`,
    ][roll(5)]();
  const odd = () => `(i32.and ${value()} (i32.const 1))`;
  const statements = (count, depth, open) => Array.from({ length: count }, () => statement(depth, open)).join('\n');
  const statement = (depth, open) => {
    const kinds = [
      () => `(local.set ${one(LOCALS)} ${value()})`,
      () => `(local.set $l (i64.extend_i32_u ${value()}))`,
      () => `(i32.store (i32.and ${value(1)} (i32.const 252)) ${value()})`,
      () => (open.length ? `(br_if ${one(open)} ${odd()})` : ''),
      () => `(if ${odd()} (then (return ${value()})))`,
    ];
    if (depth === 0) return one(kinds)();
    const inner = (more) => statements(2 + roll(3), depth - 1, [...open, ...more]);
    const named = (kind) => `$${kind}${labels++}`;
    return one([
      ...kinds,
      () => `(if ${odd()} (then ${inner([])}) ${roll(2) ? `(else ${inner([])})` : ''})`,
      () => `(if ${odd()} (then ${inner([])} ${open.length ? `(br ${one(open)})` : '(return (i32.const 7))'}))`,
      () => ((label) => `(block ${label} ${inner([label])})`)(named('block')),
      () =>
        ((label) => `(block ${label} ${inner([label])} (br_table ${one([...open, label])} ${label} ${value()}))`)(
          named('table'),
        ),
      () => {
        const label = named('loop');
        // Every loop ends some time.
        const fuel = `(if (i32.eqz (global.get $fuel)) (then (return (i32.const -1))))`;
        return `(loop ${label} ${fuel} (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1))) ${inner([label])})`;
      },
    ])();
  };
  return `(module (memory (export "memory") 1) (global $fuel (mut i32) (i32.const 40))
    (func (export "run") (param $a i32) (param $b i32) (result i32)
      (local $c i32) (local $d i32) (local $e i32) (local $l i64)
      ${statements(6, 3, [])} (i32.add (local.get $c) (i32.sub (local.get $d) (local.get $e)))))`;
}

/** What random programs rarely do: a local that lives from turn to turn of a loop, only where it is taken out. */
const LASTING = `(module (memory (export "memory") 1)
  (func (export "run") (param $a i32) (param $b i32) (result i32)
    (local $kept i32) (local $turn i32)
    (loop $loop
      (if (i32.lt_u (local.get $a) (i32.const 100)) (then
        (if (i32.eqz (local.get $turn)) (then (local.set $kept (i32.add (local.get $b) (i32.const 9)))))
        (i32.store offset=4 (local.get $turn) (i32.mul (local.get $kept) (i32.const 3)))
        (i32.store offset=64 (local.get $turn) (i32.add (local.get $kept) (i32.const 5)))))
      (local.set $turn (i32.add (local.get $turn) (i32.const 4)))
      (br_if $loop (i32.lt_u (local.get $turn) (i32.const 12))))
    (local.get $turn)))`;

/** What a module answers, and leaves in its memory. */
const answers = (bytes) =>
  [0, 1, 2, 3, 50, 255].map((input) => {
    const { run, memory } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    return [run(input, input * 7), run(3, input), Buffer.from(memory.buffer, 0, 256).toString('hex')];
  });

test('what is taken out of a function does there what it did', () => {
  let out = 0;
  for (let seed = -1; seed < 60; seed++) {
    const bytes = binaryen.parseText(seed < 0 ? LASTING : program(seed)).emitBinary();
    const before = answers(bytes);
    assert.deepEqual(answers(forked(bytes, () => true)), before, `marks of ${seed}`);
    for (const modulus of [1, 2, 3]) {
      const roll = dice((seed + 1) * 3 + modulus);
      const after = outlined(
        bytes,
        () => true,
        () => roll(modulus) > 0,
      );
      out += binaryen.readBinary(after).getNumFunctions() - 1;
      assert.deepEqual(answers(after), before, `program ${seed}, one fork in ${modulus} cold`);
    }
  }
  assert.ok(out > 200, `${out} functions were made`);
});
