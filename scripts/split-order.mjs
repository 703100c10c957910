// The order of a part's functions in its file. brotli finds what repeats anywhere, but says with fewer bits where it is,
// and guesses better what comes next, when what came before is alike.

/** Bytes that are compared at once. */
const GRAM = 4;
/** What is in more functions than this is everywhere. */
const COMMON = 400;
/** Keeps tiny functions from coming first only for being tiny. */
const LEAST = 20;

/** The different runs of bytes in a function, as numbers. */
function grams(bytes) {
  const found = new Set();
  for (let at = 0; at + GRAM <= bytes.length; at++) {
    found.add(bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24));
  }
  return found;
}

/** From the smallest on, each followed by the one of those left that has most in common with it for its size. */
export function ordered(items, bytesOf) {
  const sets = items.map((item) => grams(bytesOf(item)));
  const holders = new Map();
  sets.forEach((set, at) => {
    for (const gram of set) {
      const known = holders.get(gram);
      if (known) known.push(at);
      else holders.set(gram, [at]);
    }
  });
  const left = new Set(sets.keys());
  const order = [];
  let next = [...left].reduce((least, at) => (sets[at].size < sets[least].size ? at : least), 0);
  while (left.delete(next)) {
    order.push(items[next]);
    const shared = new Float64Array(sets.length);
    for (const gram of sets[next]) {
      const others = holders.get(gram);
      if (others.length > COMMON) continue;
      for (const at of others) shared[at] += 1 / Math.log(1 + others.length);
    }
    const likeness = (at) => shared[at] / (sets[at].size + LEAST);
    for (const at of left) if (!left.has(next) || likeness(at) > likeness(next)) next = at;
  }
  return order;
}
