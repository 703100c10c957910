// Where a key in a built file comes from, when no source map says so: the source that holds the same key.

import { readFile } from 'node:fs/promises';

import { audit } from './audit.js';
import type { Detector } from './detector.js';
import type { Located } from './located.js';

/** Looks through sources, each read once. */
export class Origins {
  readonly #read = new Map<string, Promise<Located[]>>();
  readonly #detector: Detector;
  readonly #show: (path: string) => string;

  constructor(detector: Detector, show: (path: string) => string) {
    this.#detector = detector;
    this.#show = show;
  }

  /** The finding with its source, and with the pardon that a comment there gives. */
  async trace(finding: Located, sources: Iterable<string>): Promise<Located> {
    for (const path of sources) {
      for (const same of await this.#findings(path)) {
        if (same.fingerprint !== finding.fingerprint) continue;
        const { line, column, pardon, note } = same;
        return {
          ...finding,
          source: { path: this.#show(path), line, column },
          ...(pardon ? { pardon } : {}),
          ...(note === undefined ? {} : { note }),
        };
      }
    }
    return finding;
  }

  #findings(path: string): Promise<Located[]> {
    let findings = this.#read.get(path);
    if (!findings) this.#read.set(path, (findings = this.#look(path)));
    return findings;
  }

  async #look(path: string): Promise<Located[]> {
    const content = await readFile(path).catch(() => undefined); // a virtual module has no file
    return content ? audit(this.#detector, { path: this.#show(path), content, comments: true }) : [];
  }
}
