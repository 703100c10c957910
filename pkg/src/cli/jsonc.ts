// JSON with comments and commas before a closing bracket, as wrangler and TypeScript read it.

const PART = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[^]*?\*\/|,(?=(?:\s|\/\/[^\n]*\n|\/\*[^]*?\*\/)*[}\]])/gu;

/** Throws what `JSON.parse` throws. */
export const parseJsonc = (text: string): unknown =>
  JSON.parse(text.replace(/^\uFEFF/u, '').replace(PART, (part) => (part.startsWith('"') ? part : ' ')));
