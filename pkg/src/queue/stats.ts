// What a queue tells of itself.

/** The figures of one store. */
export interface Stats {
  queued: number;
  delayed: number;
  running: number;
  completed: number;
  dead: number;
  cancelled: number;
  /** Still to be done, by priority. */
  open: { critical: number; high: number; normal: number; low: number };
  /** When the first of those that wait for their turn came. */
  oldestQueuedAt?: number;
}
