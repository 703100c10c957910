/** The two limits of a day. */
export interface DailyLimits {
  perSubject: number;
  total: number;
}

/** Counts one session of a subject; false if the subject or the organisation has had its share of the day (UTC). */
export function countSession(sql: SqlStorage, subject: string, limits: DailyLimits, now: number): boolean {
  const day = Math.floor(now / 86_400_000);
  sql.exec('DELETE FROM session WHERE day <> ?', day);
  const { total } = sql.exec<{ total: number }>('SELECT ifnull(sum(count), 0) AS total FROM session').one();
  const own = sql.exec<{ count: number }>('SELECT count FROM session WHERE subject = ?', subject).toArray()[0];
  if (total >= limits.total || (own?.count ?? 0) >= limits.perSubject) return false;
  sql.exec('INSERT INTO session VALUES (?, ?, 1) ON CONFLICT (subject) DO UPDATE SET count = count + 1', subject, day);
  return true;
}

/** Milliseconds until the next day (UTC) begins. */
export const untilTomorrow = (now: number): number => 86_400_000 - (now % 86_400_000);
