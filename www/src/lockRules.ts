// When this person wants the vault to lock itself. Kept in this browser; the rules are carried out by the gateway.

import type { TidegateConfig } from 'tidegate';

export type LockRules = Required<NonNullable<TidegateConfig['autoLock']>>;

const ITEM = 'tidegate-app:auto-lock';

const LOCK_RULES: LockRules = { idleMs: 900_000, hiddenMs: 0, frozen: true };

const isSpan = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** The rules; where none are kept, or no good ones, the gateway's own. */
export function readLockRules(): LockRules {
  try {
    const { idleMs, hiddenMs, frozen } = JSON.parse(localStorage.getItem(ITEM) ?? '') as Partial<LockRules>;
    if (isSpan(idleMs) && isSpan(hiddenMs) && typeof frozen === 'boolean') return { idleMs, hiddenMs, frozen };
  } catch {
    // Storage is refused, empty, or somebody else's.
  }
  return LOCK_RULES;
}

/** Keeps them; throws where the browser keeps nothing. */
export const keepLockRules = (rules: LockRules): void => localStorage.setItem(ITEM, JSON.stringify(rules));
