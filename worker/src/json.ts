import { load, repeated } from './wasm';

/**
 * A JSON text as what it says. Of a name that is there twice, readers differ in which one counts: it is told, and not read.
 * @throws SyntaxError if it is no JSON.
 */
export function parsed(text: string): { value: unknown } | { twice: string } {
  const value: unknown = JSON.parse(text);
  load();
  const twice = repeated(text);
  return twice === undefined ? { value } : { twice: twice.slice(0, 64) };
}

export const TWICE = 'must not be there twice';
