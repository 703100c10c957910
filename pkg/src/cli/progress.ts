// A line that says how far a long run is; on a terminal only.

import { columnsOf, endOf } from './columns.js';
import { plural, printable, size } from './text.js';

interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Shown from this long on, and changed this often. */
const AFTER_MS = 500;
const EVERY_MS = 100;

export interface Progress {
  file(path: string): void;
  bytes(count: number): void;
  clear(): void;
}

export function progress(terminal: Terminal, now: () => number = performance.now.bind(performance)): Progress {
  if (terminal.isTTY !== true) return { file: () => undefined, bytes: () => undefined, clear: () => undefined };
  const began = now();
  let shown = began + AFTER_MS - EVERY_MS;
  let visible = false;
  let [count, done, current, path] = [0, 0, 0, ''];
  const show = () => {
    if (now() - shown < EVERY_MS) return;
    shown = now();
    visible = true;
    const counts = `${plural(count, 'file')}, ${size(done + current)}`;
    const left = (terminal.columns || 80) - 1 - columnsOf(counts);
    // Too little room for a path says nothing.
    terminal.write(`\r\u001b[2K${left < 0 ? '' : counts}${left < 12 ? '' : `  ${endOf(printable(path), left - 2)}`}`);
  };
  return {
    file(next) {
      [count, done, current, path] = [count + 1, done + current, 0, next];
      show();
    },
    bytes(seen) {
      current = seen;
      show();
    },
    clear() {
      if (visible) terminal.write('\r\u001b[2K');
    },
  };
}
