// The detector as the audits use it: options fixed once, the key of the fingerprints included.

import { Scanner, type Finding, type ScanOptions, type ScanValue } from '../node.js';

export interface DetectorOptions {
  /** Key of the fingerprints; the same key gives the same fingerprints. Random when absent. */
  readonly key?: Uint8Array | undefined;
  /** Variables whose values are looked for. */
  readonly values?: readonly ScanValue[] | undefined;
  /** Whether keys that are meant to be public are told too. */
  readonly publishable?: boolean | undefined;
}

/** One set of options, applied to many inputs. */
export interface Detector {
  scan(input: string | Uint8Array): Promise<Finding[]>;
  /** For what does not fit into memory. */
  stream(): Promise<Scanner>;
}

/** The rule of what was found by a value. */
export const VALUE_RULE = 'env-value';

export function detector({ key, values = [], publishable = false }: DetectorOptions): Detector {
  const options: ScanOptions = {
    key: key ?? crypto.getRandomValues(new Uint8Array(32)),
    publishable,
    values,
  };
  let whole: Promise<Scanner> | undefined;
  return {
    async scan(input) {
      // One for all: it begins anew after each end, and nothing waits in between.
      const scanner = await (whole ??= Scanner.create(options));
      return [
        ...scanner.push(typeof input === 'string' ? new TextEncoder().encode(input) : input),
        ...scanner.finish(),
      ];
    },
    stream: () => Scanner.create(options),
  };
}
