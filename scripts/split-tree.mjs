// A module's functions as trees of expressions, for split-outline.mjs: every child in the order of evaluation, and where
// control may leave the straight way.

import binaryen from 'binaryen';

const one =
  (...getters) =>
  (kind, node) =>
    getters.map((getter) => kind[getter](node)).filter(Boolean);
/** The children of each kind of expression in the order of evaluation. What has other kinds is left alone. */
const CHILDREN = {
  Block: (kind, node) => kind.getChildren(node),
  If: one('getCondition', 'getIfTrue', 'getIfFalse'),
  Loop: one('getBody'),
  Break: one('getValue', 'getCondition'),
  Switch: one('getValue', 'getCondition'),
  Call: (kind, node) => kind.getOperands(node),
  CallIndirect: (kind, node) => [...kind.getOperands(node), kind.getTarget(node)],
  LocalGet: () => [],
  LocalSet: one('getValue'),
  GlobalGet: () => [],
  GlobalSet: one('getValue'),
  Load: one('getPtr'),
  Store: one('getPtr', 'getValue'),
  Const: () => [],
  Unary: one('getValue'),
  Binary: one('getLeft', 'getRight'),
  Select: one('getIfTrue', 'getIfFalse', 'getCondition'),
  Drop: one('getValue'),
  Return: one('getValue'),
  Nop: () => [],
  Unreachable: () => [],
  MemorySize: () => [],
  MemoryGrow: one('getDelta'),
  MemoryCopy: one('getDest', 'getSource', 'getSize'),
  MemoryFill: one('getDest', 'getValue', 'getSize'),
  TableGet: one('getIndex'),
  TableSet: one('getIndex', 'getValue'),
  TableSize: () => [],
  TableGrow: one('getValue', 'getDelta'),
  RefNull: () => [],
  SIMDExtract: one('getVec'),
  SIMDReplace: one('getVec', 'getValue'),
  SIMDShuffle: one('getLeft', 'getRight'),
  SIMDTernary: one('getA', 'getB', 'getC'),
  SIMDShift: one('getVec', 'getShift'),
  SIMDLoad: one('getPtr'),
  SIMDLoadStoreLane: one('getPtr', 'getVec'),
  TupleMake: (kind, node) => kind.getOperands(node),
  TupleExtract: one('getTuple'),
};
/** What sends control elsewhere. */
const CONTROL = new Set(['Block', 'If', 'Loop', 'Break', 'Switch', 'Return', 'Unreachable']);

const { SIMD128, BulkMemory, BulkMemoryOpt, ReferenceTypes, Multivalue, SignExt, NontrappingFPToInt, MutableGlobals } =
  binaryen.Features;
const FEATURES =
  SIMD128 | BulkMemory | BulkMemoryOpt | ReferenceTypes | Multivalue | SignExt | NontrappingFPToInt | MutableGlobals;

/** The two arms of an `if`, as the binding names them. */
export const ARMS = ['IfTrue', 'IfFalse'];

/** A module to be looked at and changed. Its nodes are numbers. */
export class Tree {
  #kinds = new Map(
    Object.keys(CHILDREN).map((name) => [binaryen[`${name}Id`], { name, kind: binaryen[name], of: CHILDREN[name] }]),
  );

  constructor(bytes) {
    this.module = binaryen.readBinary(bytes);
    this.module.setFeatures(FEATURES);
  }

  /** The name of a node's kind, and the binding's class for it. */
  kindOf(node) {
    return this.#kinds.get(binaryen.getExpressionId(node));
  }
  #isKnown(node) {
    return this.kindOf(node) !== undefined && this.children(node).every((child) => this.#isKnown(child));
  }

  children(node) {
    const { kind, of } = this.kindOf(node);
    return of(kind, node);
  }

  /** The node and all below it, before their children. */
  each(node, visit) {
    visit(node, this.kindOf(node));
    for (const child of this.children(node)) this.each(child, visit);
  }

  #isStraight(node) {
    return !CONTROL.has(this.kindOf(node).name) && this.children(node).every((child) => this.#isStraight(child));
  }

  /**
   * Calls `visit(parent, at)` wherever what comes next may run or not: with an index for a block's child, with the name of
   * an arm of an `if`. The same module gives the same in the same order.
   */
  forks(node, visit) {
    const { name, kind } = this.kindOf(node);
    if (name === 'Block') {
      const children = kind.getChildren(node);
      children.forEach((child, at) => {
        if (at > 0 && !this.#isStraight(children[at - 1])) visit(node, at);
        this.forks(child, visit);
      });
    } else if (name === 'If') {
      this.forks(kind.getCondition(node), visit);
      for (const arm of ARMS) {
        const child = kind[`get${arm}`](node);
        if (!child) continue;
        visit(node, arm);
        this.forks(child, visit);
      }
    } else for (const child of this.children(node)) this.forks(child, visit);
  }

  /** The functions that have code, all of it of kinds that are known, of those that `takes` names. */
  functions(takes) {
    return Array.from({ length: this.module.getNumFunctions() }, (_, at) => this.module.getFunctionByIndex(at))
      .map((ref) => ({ ref, ...binaryen.getFunctionInfo(ref) }))
      .filter(({ module, name, body }) => !module && takes(name) && this.#isKnown(body));
  }

  /** The forks of these functions, as `visit` of `forks` has them. */
  allForks(functions) {
    const found = [];
    for (const { body } of functions) this.forks(body, (parent, at) => void found.push([parent, at]));
    return found;
  }
}

/** What stands at a fork. */
export const childAt = (kind, parent, at) =>
  typeof at === 'number' ? kind.getChildAt(parent, at) : kind[`get${at}`](parent);

/** Puts something else there. */
export function putAt(kind, parent, at, child) {
  if (typeof at === 'number') kind.setChildAt(parent, at, child);
  else kind[`set${at}`](parent, child);
}
