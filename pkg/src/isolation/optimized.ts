// Vite's optimizer, before version 8, moves a package's scripts and leaves what they name by `new URL` behind.

const OPTIMIZED = /\/\.vite\/deps\//;

/** What helps, to go after a sentence, if the script at this address was moved so; else nothing. */
export const optimizedHint = (url: string): string =>
  OPTIMIZED.test(url)
    ? " Vite's optimizer has left it out: set optimizeDeps: { exclude: ['tidegate'] }, as tidegate/vite does."
    : '';
