// Draws that a seed makes again.

/** What is hard in one layer or another: JSON, events, UTF-8, UTF-16, markup. */
const BITS = [
  ...['a', 'Hello', ' ', 'world', '0', '1.50', 'null', '…', 'é', '漢字', '😀', '👩‍👩‍👧', '\u00a0', '\u2028', '\ufeff'],
  ...['"', '\\', '\\n', '\\u0041', "'", '`', '/', '{', '}', '[', ']', ',', ':', '%', '$', '&amp;', '<b>', '</script>'],
  ...['\n', '\t', '\n\n', '\r\n', '\u0000', '\u001f', '\u007f', 'data: ', 'event: x'],
];
const NAMES = ['city', 'a b', 'x.y', "it's", '日本', 'n', 'path', 'q"', '__x', '$ref'];
const NUMBERS = [0.1, 1e21, -0.5, 1e-7, 9007199254740991, 123456.789];

/** @param {number} seed */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (from, to) => from + Math.floor(next() * (to - from + 1));
  const chance = (share) => next() < share;
  const pick = (list) => list[int(0, list.length - 1)];
  const times = (count, make) => Array.from({ length: count }, (_, index) => make(index));
  const text = (most = 6) => times(int(1, most), () => pick(BITS)).join('');

  const value = (depth) => {
    const kinds = [
      () => null,
      () => chance(0.5),
      () => int(-1_000, 100_000),
      () => pick(NUMBERS),
      () => text(3),
      () => text(3),
      () => times(int(0, 3), () => value(depth + 1)),
      () => object(depth + 1),
    ];
    return kinds[int(0, depth > 2 ? 5 : 7)]();
  };
  const object = (depth = 0) =>
    Object.fromEntries(times(int(0, 3), (index) => [pick(NAMES) + (index || ''), value(depth)]));

  return {
    int,
    chance,
    pick,
    times,
    text,
    object,
    /** A text in pieces, none of which cuts a character. */
    pieces(whole) {
      const left = [...whole];
      const out = [];
      while (left.length > 0) out.push(left.splice(0, int(1, Math.min(left.length, 6))).join(''));
      return out;
    },
    /** Several lists in one, each in its own order. */
    merged(lists) {
      const left = lists.filter((list) => list.length > 0).map((list) => [...list]);
      const out = [];
      while (left.length > 0) {
        const at = int(0, left.length - 1);
        out.push(left[at].shift());
        if (left[at].length === 0) left.splice(at, 1);
      }
      return out;
    },
    /** JSON text, at times with escapes where none are needed. */
    json(whole) {
      const plain = JSON.stringify(whole);
      if (!chance(0.3)) return plain;
      const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
      return plain.replace(/[\u007f-\uffff]/g, escaped);
    },
    /** Fields that nobody knows. */
    noise: () => (chance(0.2) ? { x_unknown: value(0), obfuscation: text(3) } : {}),
  };
}
