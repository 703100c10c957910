// Cuts the glue that wasm-bindgen makes as split-wasm.mjs cuts the Wasm: what is called only once the
// rest is awaited becomes a module of its own, which loads with the rest. Functions that help both are in both, and bundlers
// leave out those that one does not use.

import { parseAst } from 'vite';

/** What the rest's own glue ends with: takes the Wasm's exports, and gives what it imports, by name. Throws if they are of another build. */
const joint = (build) => `
export const joinedTo = (exports, build) => {
  if (build !== '${build}') throw new TypeError('The rest is of another build.');
  wasm = exports;
  const { "${build}": own, ...others } = __wbg_get_imports();
  return Object.assign({}, own, ...Object.values(others));
};
`;

/**
 * The glue of the first part, that of the rest, and the names of the classes in both, of which the rest's has methods
 * alone. `isLate` tells of an export of the Wasm whether it waits for the rest; `early` and `late` are the names of the
 * functions that the first part imports from here, and of those that only what waits for the rest does; `build` is the
 * name of the module that these are imported from, another one in each build.
 */
export function splitGlue(text, build, isLate, early, late) {
  const { body } = parseAst(text);
  const source = ({ start, end }) => text.slice(start, end);
  const waits = (node) => [...source(node).matchAll(/\bwasm\.(e\d+)/g)].some(([, name]) => isLate(name));
  const declared = (statement) => statement.declaration ?? statement;
  const nameOf = (statement) => declared(statement).id?.name;
  const matching = (pattern) => body.filter((statement) => pattern.test(source(statement)));

  const isShared = ({ key }) => ['__wrap', '__destroy_into_raw'].includes(key.name);
  const methods = (own) => declared(own).body.body;
  const classes = matching(/^export class /);
  const lateClasses = classes.filter((own) => methods(own).every((method) => isShared(method) || waits(method)));
  const firstClasses = classes.filter((own) => !lateClasses.includes(own));
  const inBoth = firstClasses.filter((own) => methods(own).some(waits));
  const finalizers = (of) => of.flatMap((own) => matching(new RegExp(`^const ${nameOf(own)}Finalization\\b`)));
  const functions = matching(/^export function /);
  // Nobody's `using` reaches these classes.
  const disposals = matching(/^if \(Symbol\.dispose\)/);

  const [{ declarations }, { argument }] = body.find((own) => nameOf(own) === '__wbg_get_imports').body.body;
  const given = declarations[0].init.properties.filter(({ key }) => key.name !== '__proto__');
  const isGiven = (name) => given.some(({ key }) => key.name === name);
  // Modules of ours are given as namespaces.
  const modules = argument.properties.map(({ value }) => value).filter((value) => /^import[1-9]/.test(source(value)));

  const part = (imports, cuts) => {
    const others = [...imports].filter((name) => !isGiven(name));
    const picked = (module) => others.map((name) => `${name}: ${source(module)}.${name}`).join(', ');
    const edits = [
      ...[...disposals, ...cuts, ...given.filter(({ key }) => !imports.has(key.name))].map((node) => [node, '']),
      ...modules.map((module) => [module, `{ ${picked(module)} },`]),
    ];
    let out = '';
    let at = 0;
    for (const [{ start, end }, instead] of edits.sort(([a], [b]) => a.start - b.start)) {
      out += text.slice(at, start) + instead;
      at = text[end] === ',' ? end + 1 : end;
    }
    return out + text.slice(at);
  };
  const first = part(early, [
    ...lateClasses,
    ...finalizers(lateClasses),
    ...functions.filter(waits),
    ...inBoth.flatMap((own) => methods(own).filter(waits)),
  ]);
  const rest = part(late, [
    ...firstClasses.filter((own) => !inBoth.includes(own)),
    ...finalizers(firstClasses),
    ...functions.filter((own) => !waits(own)),
    ...inBoth.flatMap((own) => methods(own).filter((method) => !waits(method))),
    ...matching(/^((async )?function (initSync|__wbg_init|__wbg_load)|export \{)/),
  ]);
  return { first, rest: rest + joint(build), inBoth: inBoth.map(nameOf) };
}
