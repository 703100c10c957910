/**
 * Refuses an option that there is not: with a slip in its name less would be looked for than was meant. `of` says whose
 * options they are.
 * @throws `TypeError` that names those that there are.
 */
export function onlyOptions(of: string, given: object, known: Record<string, 0>): void {
  const slip = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  if (slip === undefined) return;
  throw new TypeError(`${of}: there is no option ${slip}, only ${Object.keys(known).join(', ')}`);
}
