// What all readers share.

export const MODEL = 'gpt-4.1-mini';

/** Each request is another question: nothing may come out of a cache. */
let asked = 0;
export const question = () => `Why ${(asked += 1)}?`;

/** JSON, or the text that is none. */
export const parsed = (json) => {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
};
