/** What is wrong with fields of an input, each by its path. */
export type Problems = { path: string; problem: string }[];

/** How one field is read: the value, or a throw of what it must be. */
export type Check<T> = (value: unknown, path: string) => T;

/** What a {@link Check} throws: the words that go after the field's name. Never the value, which may be a secret. */
export class Problem extends Error {
  constructor(
    problem: string,
    readonly problems?: Problems,
  ) {
    super(problem);
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A text. */
export const text =
  (max: number, shape?: RegExp, problem = 'has letters that it may not have'): Check<string> =>
  (value) => {
    if (typeof value !== 'string' || value === '') throw new Problem('must be a text');
    if (value.length > max) throw new Problem(`must not be longer than ${max} characters`);
    if (shape && !shape.test(value)) throw new Problem(problem);
    // Nothing that is stored could be found by it again: bytes have no such letters.
    if (!value.isWellFormed()) throw new Problem('must not have lone surrogates');
    return value;
  };

/** A whole number within bounds. */
export const whole =
  (min: number, max: number): Check<number> =>
  (value) => {
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
    if (!fits) throw new Problem(`must be a whole number from ${min} to ${max}`);
    return value;
  };

export const flag: Check<boolean> = (value) => {
  if (typeof value !== 'boolean') throw new Problem('must be true or false');
  return value;
};

export const oneOf =
  <const T extends string>(allowed: readonly T[]): Check<T> =>
  (value) => {
    if (!(allowed as readonly unknown[]).includes(value)) throw new Problem(`must be one of ${allowed.join(', ')}`);
    return value as T;
  };

export const list =
  <T>(each: Check<T>, min: number, max: number): Check<T[]> =>
  (value, path) => {
    if (!Array.isArray(value)) throw new Problem('must be a list');
    if (value.length < min || value.length > max) throw new Problem(`must have ${min} to ${max} entries`);
    return all(
      value.map((item, index) => [`${path}[${index}]`, item]),
      each,
    );
  };

/** A table with names of its own. */
export const table =
  <T>(each: Check<T>, max: number): Check<Record<string, T>> =>
  (value, path) => {
    if (!isObject(value)) throw new Problem('must be an object');
    const entries = Object.entries(value);
    if (entries.length > max) throw new Problem(`must not have more than ${max} entries`);
    const read = all(
      entries.map(([name, item]) => [`${path}.${name.slice(0, 64)}`, item]),
      each,
    );
    return Object.fromEntries(entries.map(([name], index) => [name, read[index] as T]));
  };

/** A field that may be missing. */
export const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value, path) =>
    value === undefined ? undefined : check(value, path);

/** A field that may be missing, and then is `other`. */
export const otherwise =
  <T>(check: Check<T>, other: T): Check<T> =>
  (value, path) =>
    value === undefined ? other : check(value, path);

/** An object of known fields. All its problems are told at once, and so is each field that it does not know. */
export const fields =
  <T extends object>(checks: { [K in keyof T]-?: Check<T[K]> }): Check<T> =>
  (value, path) => {
    if (!isObject(value)) throw new Problem('must be an object');
    const problems: Problems = [];
    const at = (name: string) => (path ? `${path}.${name}` : name);
    const read = Object.entries<Check<unknown>>(checks).map(([name, check]) => {
      try {
        return [name, check(Object.hasOwn(value, name) ? value[name] : undefined, at(name))];
      } catch (thrown) {
        problems.push(...problemsOf(thrown, at(name)));
        return [name, undefined];
      }
    });
    const unknown = `is not a known field; known are ${Object.keys(checks).join(', ')}`;
    for (const name of Object.keys(value)) {
      if (!Object.hasOwn(checks, name)) problems.push({ path: at(name.slice(0, 64)), problem: unknown });
    }
    if (problems.length > 0) throw new Problem('is not valid', problems);
    return Object.fromEntries(read.filter(([, field]) => field !== undefined)) as T;
  };

/** Each value by its path; all problems are told at once. */
function all<T>(values: (readonly [path: string, value: unknown])[], each: Check<T>): T[] {
  const problems: Problems = [];
  const read = values.flatMap(([path, value]) => {
    try {
      return [each(value, path)];
    } catch (thrown) {
      problems.push(...problemsOf(thrown, path));
      return [];
    }
  });
  if (problems.length > 0) throw new Problem('is not valid', problems);
  return read;
}

function problemsOf(thrown: unknown, path: string): Problems {
  if (!(thrown instanceof Problem)) throw thrown;
  return thrown.problems ?? [{ path, problem: thrown.message }];
}

/** The value, or what is wrong with it. */
export function checked<T>(check: Check<T>, value: unknown): { value: T } | { problems: Problems } {
  try {
    return { value: check(value, '') };
  } catch (thrown) {
    return { problems: problemsOf(thrown, '') };
  }
}
