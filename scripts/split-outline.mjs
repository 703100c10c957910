// Takes out of functions what did not run, so that it can load later though the function loads first: a run of
// statements, or an arm of an `if`, becomes a function of its own that takes the locals it reads. It gives back by which
// way it left; values go through globals, which nothing can overwrite between its return and what follows it.
//
//   node scripts/split-outline.mjs NAMED.wasm GLUE.js   (in place; split-wasm.mjs comes after it)

import binaryen from 'binaryen';
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { KEPT, readable } from './split-entries.mjs';
import { ran, run } from './split-profile.mjs';
import { ARMS, childAt, putAt, Tree } from './split-tree.mjs';
import { parse } from './wasm-module.mjs';

/** What is smaller stays: about a call, its arguments and what follows it. In bytes. */
const LEAST = 20;
/** More arguments than engines like to take. */
const MOST_PARAMS = 40;
/** Bytes of a node without its children, about; 2 for the others. */
const BYTES = { Block: 3, If: 3, Loop: 3, Const: 3, Call: 3, CallIndirect: 4, Load: 3, Store: 3, Nop: 0, Drop: 1 };

const { i32, i64, f32, f64, v128, none, unreachable } = binaryen;
/** What globals hold, with what they begin with. */
const ZEROS = new Map([
  [i32, (module) => module.i32.const(0)],
  [i64, (module) => module.i64.const(0n)],
  [f32, (module) => module.f32.const(0)],
  [f64, (module) => module.f64.const(0)],
  [v128, (module) => module.v128.const(Array(16).fill(0))],
]);

/** The module with a global for each fork that says whether it was passed, exported as `fork N`. */
export function forked(bytes, takes) {
  const tree = new Tree(bytes);
  const { module } = tree;
  tree.allForks(tree.functions(takes)).forEach(([parent, at], number) => {
    const name = `fork ${number}`;
    module.addGlobal(name, i32, true, module.i32.const(0));
    module.addGlobalExport(name, name);
    const { kind } = tree.kindOf(parent);
    const child = childAt(kind, parent, at);
    const mark = module.global.set(name, module.i32.const(1));
    putAt(kind, parent, at, module.block(null, [mark, child], binaryen.getExpressionType(child)));
  });
  return written(module);
}

/** The module with what was not passed in functions of its own. `passed(N)`: whether fork N was. */
export function outlined(bytes, takes, passed) {
  const tree = new Tree(bytes);
  const functions = tree.functions(takes);
  const numbers = new Map(tree.allForks(functions).map(([parent, at], number) => [`${parent} ${at}`, number]));
  const isCold = (parent, at) => {
    const number = numbers.get(`${parent} ${at}`);
    return number === undefined ? undefined : !passed(number);
  };
  for (const own of functions) new Outliner(tree, own, isCold).outline(own.body, false);
  const { module } = tree;
  binaryen.setShrinkLevel(2);
  binaryen.setOptimizeLevel(2);
  module.runPasses(['dae', 'merge-blocks', 'remove-unused-brs', 'remove-unused-names', 'vacuum', 'reorder-locals']);
  return written(module);
}

function written(module) {
  binaryen.setDebugInfo(true);
  if (!module.validate()) throw new Error('outlining made a module that is not valid');
  return module.emitBinary();
}

/** Outlines within one function. */
class Outliner {
  constructor(tree, { name, params, results, vars, body }, isCold) {
    Object.assign(this, { tree, module: tree.module, name, results, isCold, cut: 0 });
    this.types = [...binaryen.expandType(params), ...vars];
    this.params = binaryen.expandType(params).length;
    this.all = this.#uses([body]);
  }

  /** How often each local is read and written, which are written before anything may read them, and what leaves. */
  #uses(nodes) {
    const { tree } = this;
    const used = { gets: new Map(), sets: new Map(), definite: new Set(), bytes: 0, returns: 0 };
    const [inner, names, valued] = [new Set(), new Set(), []];
    const add = (map, index) => map.set(index, (map.get(index) ?? 0) + 1);
    let straight = true;
    const visit = (node) => {
      const { name, kind } = tree.kindOf(node);
      used.bytes += BYTES[name] ?? 2;
      if (name === 'Loop' || name === 'Block') inner.add(kind.getName(node));
      tree.children(node).forEach((child, at) => {
        // What comes after its condition may be passed by.
        if (name === 'If' && at > 0) straight = false;
        visit(child);
      });
      if (['If', 'Break', 'Switch', 'Return', 'Unreachable'].includes(name)) straight = false;
      if (name === 'Return') used.returns++;
      const targets = {
        Break: () => [kind.getName(node)],
        Switch: () => [...kind.getNames(node), kind.getDefaultName(node)],
      };
      for (const target of targets[name]?.() ?? []) {
        names.add(target);
        if (kind.getValue(node)) valued.push(target);
      }
      if (name === 'LocalGet') add(used.gets, kind.getIndex(node));
      if (name === 'LocalSet') {
        const index = kind.getIndex(node);
        if (straight && !used.gets.has(index)) used.definite.add(index);
        add(used.sets, index);
      }
    };
    nodes.forEach(visit);
    used.exits = [...names].filter((label) => !inner.has(label));
    used.isValued = valued.some((label) => !inner.has(label));
    return used;
  }

  /** Looks for what did not run in what did. */
  outline(node, inLoop) {
    const { name, kind } = this.tree.kindOf(node);
    if (name === 'If') {
      this.outline(kind.getCondition(node), inLoop);
      for (const arm of ARMS) {
        const child = childAt(kind, node, arm);
        if (!child) continue;
        const made = this.isCold(node, arm) ? this.#moved([child], inLoop) : undefined;
        if (made) putAt(kind, node, arm, this.module.block(null, made));
        else this.outline(child, inLoop);
      }
    } else if (name === 'Block') this.#outlineRuns(node, kind, inLoop);
    else for (const child of this.tree.children(node)) this.outline(child, inLoop || name === 'Loop');
  }

  /** The same among a block's children; what follows one that did not run did not run either, up to the next fork. */
  #outlineRuns(node, kind, inLoop) {
    const children = kind.getChildren(node);
    const cold = [];
    children.forEach((_, at) => cold.push(this.isCold(node, at) ?? cold[at - 1] ?? false));
    for (let to = children.length; to > 0;) {
      let from = to;
      while (from > 0 && cold[from - 1]) from--;
      if (from === to) {
        this.outline(children[--to], inLoop);
        continue;
      }
      const run = children.slice(from, to);
      const made = this.#moved(run, inLoop);
      if (made) {
        for (let at = to - 1; at >= from; at--) kind.removeChildAt(node, at);
        made.forEach((child, at) => kind.insertChildAt(node, from + at, child));
      } else for (const child of run) this.outline(child, inLoop);
      to = from;
    }
  }

  /** What stands in the place of `nodes`, which are moved into a function of their own; nothing if that does not pay. */
  #moved(nodes, inLoop) {
    const { all } = this;
    if (nodes.some((node) => ![none, unreachable].includes(binaryen.getExpressionType(node)))) return;
    const own = this.#uses(nodes);
    if (own.bytes < LEAST || own.isValued) return;
    const outside = (map, index) => (all[map].get(index) ?? 0) - (own[map].get(index) ?? 0);
    const locals = [...new Set([...own.gets.keys(), ...own.sets.keys()])].sort((a, b) => a - b);
    // What nobody else has written is zero there as here, if this is come by once.
    const given = locals.filter(
      (index) =>
        !own.definite.has(index) &&
        (index < this.params || outside('sets', index) > 0 || (inLoop && own.sets.has(index))),
    );
    const falls = binaryen.getExpressionType(nodes.at(-1)) !== unreachable;
    const isLast = !falls && own.exits.length === 0;
    const back = isLast
      ? []
      : locals.filter(
          (index) => own.sets.has(index) && (outside('gets', index) > 0 || (inLoop && !own.definite.has(index))),
        );
    const ways = [...(falls ? [undefined] : []), ...own.exits.map((label) => ({ label }))];
    if (own.returns > 0 && !isLast) ways.push({});
    const cost = 6 + 2 * given.length + 4 * back.length + 5 * (ways.length - 1) + (falls ? 0 : 2);
    if (locals.some((index) => binaryen.expandType(this.types[index]).length !== 1)) return;
    if (given.length > MOST_PARAMS || own.bytes < cost + LEAST) return;
    const returned = own.returns > 0 && !isLast && this.results !== none ? [this.results] : [];
    if (![...back.map((index) => this.types[index]), ...returned].every((type) => ZEROS.has(type))) return;
    return this.#write(nodes, { own, given, back, locals, ways, isLast, falls });
  }

  #write(nodes, { own, given, back, locals, ways, isLast, falls }) {
    const { module, tree, results } = this;
    const order = [...given, ...locals.filter((index) => !given.includes(index))];
    const places = new Map(order.map((index, at) => [index, at]));
    const seen = new Map();
    const outs = back.map((index) => {
      const type = this.types[index];
      const at = seen.get(type) ?? 0;
      seen.set(type, at + 1);
      return [index, type, this.#global(type, at)];
    });
    const say = (way) =>
      ways.length > 1 ? [module.global.set(this.#global(i32, 'way'), module.i32.const(ways.indexOf(way)))] : [];
    const leave = (way) => [
      ...outs.map(([index, type, name]) => module.global.set(name, module.local.get(places.get(index), type))),
      ...say(way),
      module.return(),
    ];
    for (const node of nodes) {
      tree.each(node, (at, { name, kind }) => {
        if (name === 'LocalGet' || name === 'LocalSet') kind.setIndex(at, places.get(kind.getIndex(at)));
      });
    }
    const value = results === none || isLast || own.returns === 0 ? undefined : this.#global(results, 'value');
    if (!isLast && own.returns > 0) nodes = this.#returning(nodes, own.returns, say(ways.at(-1)), value);
    let body = module.block(null, [...nodes, ...(falls ? leave(undefined) : [])]);
    for (const way of ways) {
      if (way?.label) body = module.block(null, [module.block(way.label, [body], none), ...leave(way)]);
    }
    const result = isLast && own.returns > 0 ? results : none;
    const name = `${this.name}$cold${this.cut++}`;
    const typesOf = (indices) => indices.map((index) => this.types[index]);
    module.addFunction(
      name,
      binaryen.createType(typesOf(given)),
      result,
      typesOf(order.slice(given.length)),
      isLast ? module.block(null, [body, module.unreachable()], unreachable) : body,
    );
    const args = given.map((index) => module.local.get(index, this.types[index]));
    const call = module.call(name, args, result);
    if (isLast && own.returns === 0) return [call, module.unreachable()];
    if (isLast) return result === none ? [call, module.return()] : [module.return(call)];
    const taken = outs.map(([index, type, name]) => module.local.set(index, module.global.get(name, type)));
    return [call, ...taken, ...this.#goingOn(ways, value)];
  }

  /** What goes on as the moved code would have: falls through, branches or returns. */
  #goingOn(ways, value) {
    const { module, results } = this;
    const go = (way, condition) => {
      if (way.label !== undefined) return module.br(way.label, condition);
      const left = module.return(value && module.global.get(value, results));
      return condition ? module.if(condition, left) : left;
    };
    // The last needs no asking: by then nothing else is left.
    const leaving = ways.filter((way) => way !== undefined);
    const isOpen = leaving.length < ways.length;
    return leaving.map((way, at) => {
      if (!isOpen && at === leaving.length - 1) return go(way);
      const said = module.global.get(this.#global(i32, 'way'), i32);
      return go(way, module.i32.eq(said, module.i32.const(ways.indexOf(way))));
    });
  }

  /** The same with its returns telling so; `say` is said once for each. */
  #returning(nodes, count, say, value) {
    const { module, tree } = this;
    let found = 0;
    const told = (child) => {
      if (!child || tree.kindOf(child).name !== 'Return') return child;
      found++;
      const of = binaryen.Return.getValue(child);
      const kept = of ? [module.global.set(value, of)] : [];
      const copies = say.map((set) => module.copyExpression(set));
      return module.block(null, [...kept, ...copies, module.return()], unreachable);
    };
    const visit = (node) => {
      const { name, kind } = tree.kindOf(node);
      for (const child of tree.children(node)) visit(child);
      if (name === 'Block') kind.getChildren(node).forEach((child, at) => kind.setChildAt(node, at, told(child)));
      if (name === 'Loop') kind.setBody(node, told(kind.getBody(node)));
      if (name === 'If')
        for (const arm of ARMS) if (childAt(kind, node, arm)) putAt(kind, node, arm, told(childAt(kind, node, arm)));
    };
    const whole = module.block(null, nodes);
    visit(whole);
    if (found !== count) throw new Error(`${this.name}: a return within an expression`);
    return [whole];
  }

  /** A global to give back a value by. */
  #global(type, at) {
    const { module } = this;
    const name = `cold ${type} ${at}`;
    if (!module.getGlobal(name)) module.addGlobal(name, type, true, ZEROS.get(type)(module));
    return name;
  }
}

const [, script, path, gluePath] = process.argv;
if (import.meta.url === pathToFileURL(script).href) {
  const bytes = readFileSync(path);
  const module = parse(bytes);
  const names = new Set([...(await ran(module, gluePath))].map((index) => module.names.get(index)));
  const takes = (name) => names.has(name) && !KEPT.test(readable(name));
  const exports = await run(forked(bytes, takes), gluePath);
  writeFileSync(
    path,
    outlined(bytes, takes, (fork) => exports[`fork ${fork}`].value === 1),
  );
}
