// What the ledger says of money. Amounts are whole nano-dollars, times are milliseconds.

/** The books of the present period. */
export interface BudgetStatus {
  limitNanoUsd: number;
  spentNanoUsd: number;
  /** Held by requests in flight. */
  reservedNanoUsd: number;
  /** Part of what is spent that was above its bounds. */
  overshootNanoUsd: number;
  /** When the next period begins. */
  resetsAt: number;
}
