/**
 * Brings an object's tables to the newest version. Step i leads from version i to the next; steps are added, never
 * changed. To be called before a write only: an object that was merely asked something keeps no tables, and so costs
 * nothing when it is gone.
 * @throws RangeError if the tables are newer than this code, which leaves them as they are.
 */
export function migrate(storage: DurableObjectStorage, steps: readonly string[]): void {
  storage.transactionSync(() => {
    const { sql } = storage;
    sql.exec('CREATE TABLE IF NOT EXISTS schema (version INTEGER NOT NULL) STRICT');
    const version = sql.exec<{ version: number }>('SELECT version FROM schema').toArray()[0]?.version ?? 0;
    if (version > steps.length) throw new RangeError('the tables are newer than this Worker');
    if (version === steps.length) return;
    for (const step of steps.slice(version)) sql.exec(step);
    sql.exec('DELETE FROM schema');
    sql.exec('INSERT INTO schema (version) VALUES (?)', steps.length);
  });
}

/** Whether {@link migrate} ever ran. Writes nothing. */
export function hasTables(storage: DurableObjectStorage): boolean {
  const found = storage.sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema'");
  return found.toArray().length > 0;
}
