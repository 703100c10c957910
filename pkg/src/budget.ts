// What the ledger says of money. Amounts are whole nano-dollars, times are milliseconds.

/** The books of the present period. Amounts are whole nano-dollars: 1 USD is 1,000,000,000. */
export interface BudgetStatus {
  limitNanoUsd: number;
  spentNanoUsd: number;
  /** Held by requests in flight. */
  reservedNanoUsd: number;
  /** Part of what is spent that was above its bounds. */
  overshootNanoUsd: number;
  /**
   * Whether nothing can be asked until `resetsAt`: nothing is left, and no target with a key is free. What is reserved
   * counts; it may come back.
   */
  exhausted: boolean;
  /** When the next period begins: milliseconds since 1970, as `Date.now()`. */
  resetsAt: number;
}
