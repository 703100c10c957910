// How many columns of a terminal a text takes.

/** Characters that take two, from Unicode's East Asian Width (W and F) and its emoji; blocks, not single characters. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

/** Marks that stand on the character before them, and what is not seen. */
const NONE = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

const columnsOfOne = (character: string): number => {
  if (NONE.test(character)) return 0;
  const code = character.codePointAt(0) ?? 0;
  return WIDE.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
};

/** Columns of a text without escapes. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOfOne(character);
  return columns;
}

/** The text, or its end behind `…`, in at most so many columns: of a path the end says more. */
export function endOf(text: string, most: number): string {
  if (columnsOf(text) <= most) return text;
  let [kept, left] = ['', most - 1];
  for (const character of [...text].reverse()) {
    left -= columnsOfOne(character);
    if (left < 0) break;
    kept = character + kept;
  }
  return most < 1 ? '' : `…${kept}`;
}

/** Broken at blanks. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let [line, taken] = ['', 0];
  for (const word of text.split(/\s+/u).filter((part) => part !== '')) {
    const columns = columnsOf(word);
    if (line !== '' && taken + 1 + columns > width) {
      lines.push(line);
      [line, taken] = [word, columns];
    } else [line, taken] = line === '' ? [word, columns] : [`${line} ${word}`, taken + 1 + columns];
  }
  return line === '' ? lines : [...lines, line];
}
