// What an audit takes from its surroundings: the key of the fingerprints and the baseline.

import { readFileSync } from 'node:fs';
import process from 'node:process';

import { parseBaseline, type Baseline } from './baseline.js';

/** A setting is wrong; the message names it. */
export class SettingError extends Error {}

const VARIABLE = 'TIDEGATE_FINGERPRINT_KEY';

/** The environment's key for fingerprints, else the baseline's. */
export function keyOf(baseline: Baseline | undefined): Uint8Array | undefined {
  return environmentKey() ?? (baseline?.key === undefined ? undefined : Buffer.from(baseline.key, 'base64'));
}

function environmentKey(): Uint8Array | undefined {
  const text = process.env[VARIABLE];
  if (text === undefined || text === '') return undefined;
  const key = Buffer.from(text, 'base64');
  if (key.length !== 32) throw new SettingError(`${VARIABLE}: must be 32 bytes in base64`);
  return key;
}

/** Reads a baseline, or begins one if `fresh` and there is none. */
export function openBaseline(path: string, fresh = false): Baseline {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!fresh || (error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new SettingError(`baseline: ${reasonOf(error, path)}`, { cause: error });
    }
    const key = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64');
    return { ...(environmentKey() ? {} : { key }), entries: [] };
  }
  try {
    return parseBaseline(text);
  } catch (error) {
    throw new SettingError(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** What the system says, without its codes. */
export function reasonOf(error: unknown, path: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const known: Record<string, string> = { ENOENT: 'no such file', EACCES: 'may not be read', EISDIR: 'is a folder' };
  return `${path}: ${known[code ?? ''] ?? message}`;
}
