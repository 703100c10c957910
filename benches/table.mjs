// The table that `make bench` prints.

/** Rows that others are held against: not the bare Worker that keeps a ledger. */
const LEAST = /^bare(?!-ledger)/;

/** Rows of bench.json as text, each beside the bare row above it (or the first of its bench). */
export function table(rows, versions) {
  let base;
  const cells = rows.map(({ bench, row, unit, median, min, max, rounds }) => {
    if (base?.bench !== bench || LEAST.test(row)) base = { bench, median };
    const over = Number((median - base.median).toPrecision(4));
    const figures = [median, min, max, rounds].map(String);
    const ratio = `× ${(median / base.median).toPrecision(3)}`;
    return [bench, row, versions[row] ?? '', unit, ...figures, ratio, over < 0 ? String(over) : `+${over}`];
  });
  const head = ['bench', 'row', 'version', 'unit', 'median', 'min', 'max', 'rounds', 'ratio', 'over bare'];
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((line) => line[column].length)));
  const TEXTS = 4; // the first columns are words, the others figures
  const line = (texts) =>
    texts
      .map((text, column) => (column < TEXTS ? text.padEnd(widths[column]) : text.padStart(widths[column])))
      .join('  ')
      .trimEnd();
  const lines = [line(head), widths.map((width) => '-'.repeat(width)).join('  ')];
  for (const [index, row] of cells.entries()) {
    if (index > 0 && row[0] !== cells[index - 1][0]) lines.push('');
    lines.push(line(row));
  }
  return lines.join('\n');
}
