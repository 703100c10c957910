import { load, sessionDay } from '../wasm';

/** The two limits of a day. */
export interface DailyLimits {
  perSubject: number;
  total: number;
}

/** Counts one session of a subject; milliseconds to wait if the subject or the organisation has had its share. */
export function countSession(
  sql: SqlStorage,
  subject: string,
  { perSubject, total }: DailyLimits,
  now: number,
): number | undefined {
  load();
  const [given] = sql.exec<{ day: number; total: number; own: number }>(
    `SELECT day, sum(count) AS total, sum(CASE WHEN subject = ? THEN count ELSE 0 END) AS own
    FROM session GROUP BY day ORDER BY day DESC LIMIT 1`,
    subject,
  );
  const { day: last = 0, total: all = 0, own = 0 } = given ?? {};
  const [day, wait] = sessionDay(last, all, own, perSubject, total, now) as [number] | [undefined, number];
  if (day === undefined) return wait;
  sql.exec('DELETE FROM session WHERE day <> ?', day);
  sql.exec('INSERT INTO session VALUES (?, ?, 1) ON CONFLICT (subject) DO UPDATE SET count = count + 1', subject, day);
  return undefined;
}
