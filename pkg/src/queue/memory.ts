// Rows for as long as the process lives.

import { before, OPEN_LANES, QUEUED, type Change, type Found, type Query, type Row, type Rows } from './rows.js';

export function memoryRows(): Rows {
  const rows = new Map<number, Row>();
  let last = 0;
  const all = (one: (row: Row) => boolean) => [...rows.values()].filter(one);
  const find = ({ arrival, key, lane, after, due, count = 1 }: Query): Row[] => {
    if (arrival !== undefined) return [rows.get(arrival) ?? []].flat();
    if (key !== undefined) return all((row) => row.key === key);
    const found =
      lane !== undefined
        ? all((row) => row.lane === lane && (!after || before(after, row) < 0)).sort(before)
        : due !== undefined
          ? all((row) => row.due <= due).sort((a, b) => a.due - b.due)
          : [];
    return found.slice(0, count);
  };
  return {
    step<T>(query: Query, decide: (found: Found) => Change<T>): T {
      const open = all((row) => row.lane < OPEN_LANES).length;
      const { insert, update = [], erase = [], value } = decide({ rows: find(query), open, last });
      if (insert) {
        rows.set(insert.arrival, insert);
        last = Math.max(last, insert.arrival);
      }
      for (const { keepsAsk, ...changed } of update) {
        const { key, asked, result } = rows.get(changed.arrival) ?? {};
        rows.set(changed.arrival, { key, asked: keepsAsk ? asked : undefined, result, ...changed });
      }
      for (const arrival of erase) rows.delete(arrival);
      return value;
    },
    due: () => all(() => true).reduce<number | undefined>((first, { due }) => Math.min(first ?? due, due), undefined),
    ahead: (row) => all((other) => other.lane === QUEUED && before(other, row) < 0).length,
    tally() {
      const tallies = new Map<string, { lane: number; priority: number; count: number; oldest: number }>();
      for (const { lane, priority, arrival } of rows.values()) {
        const name = `${lane} ${priority}`;
        const tally = tallies.get(name) ?? { lane, priority, count: 0, oldest: arrival };
        tallies.set(name, { ...tally, count: tally.count + 1, oldest: Math.min(tally.oldest, arrival) });
      }
      return [...tallies.values()];
    },
  };
}
