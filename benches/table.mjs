// The table that `make bench` prints.

/** Rows of bench.json as text, each beside the first row of its bench. */
export function table(rows, versions) {
  const first = {};
  for (const row of rows) first[row.bench] ??= row.median;
  const cells = rows.map(({ bench, row, unit, median, min, max, rounds }) => [
    bench,
    row,
    versions[row] ?? '',
    unit,
    String(median),
    String(min),
    String(max),
    String(rounds),
    `× ${(median / first[bench]).toPrecision(3)}`,
    (median >= first[bench] ? '+' : '') + String(Number((median - first[bench]).toPrecision(4))),
  ]);
  const head = ['bench', 'row', 'version', 'unit', 'median', 'min', 'max', 'rounds', 'ratio', 'over first'];
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
