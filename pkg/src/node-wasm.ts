// The Wasm as Node reads it: from the disk, when it is first needed.

import { internal } from './errors.js';
import { once, type Glue } from './platform.js';

const BUNDLED =
  "The gateway's Wasm is not beside its code: leave the package out of the server's bundle (Next.js: " +
  "serverExternalPackages: ['tidegate']; Vite: ssr.external; esbuild: --external:tidegate).";

/** What a process that may read only some files is told: Node's `--permission`, Deno, the file's own mode. */
const REFUSED = ['EACCES', 'EPERM', 'ERR_ACCESS_DENIED'];

const read = async (url: URL) => {
  const { readFile } = await import('node:fs/promises');
  return readFile(url).catch((cause: Partial<NodeJS.ErrnoException>) => {
    const refused = REFUSED.includes(cause.code ?? '') || cause.name === 'NotCapable';
    throw internal(refused ? `This process may not read ${url.pathname} (Deno: --allow-read).` : BUNDLED, cause);
  });
};
// Written out one by one: this is how tools that collect a server's files find them.
const serverWasm = () => read(new URL('../wasm/tidegate-server_bg.wasm', import.meta.url));
/** Argon2 alone: its instance is thrown away. */
export const kdfWasm = () => read(new URL('../wasm/kdf_bg.wasm', import.meta.url));

/** From a disk, bytes cost nothing: one build, the fast one, serves every configuration. */
export const load = once<Glue>(async () => {
  const [glue, bytes] = await Promise.all([import('../wasm/tidegate-server.js'), serverWasm()]);
  glue.initSync({ module: bytes });
  return glue;
});
