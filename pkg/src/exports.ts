// What every entry of the package exports beside its own gate and detector.

export type {
  Finding,
  KeyClass,
  KeyEncoding,
  KeyRule,
  RedactOptions,
  Redaction,
  ScanOptions,
  ScanValue,
  Severity,
} from './detect.js';
export { isTidegateError, TidegateError, type AttemptError, type ErrorCode, type ErrorData } from './errors.js';
export type { GateQueue } from './queue/calls.js';
export type * from './queue/types.js';
export type * from './types.js';
export type { Gate, GateVault as Vault } from './gate.js';
export type { PresenceSign } from './vault/presence.js';
export type { AddedSlot, NewSlot, SlotInfo, SlotKey, StoredKey } from './vault/types.js';
