// Argon2id in an instance of its own: Wasm memory never shrinks, so the instance is dropped after use and its 19 MiB
// with it. The glue is a factory (see scripts/build-wasm.sh) because generated modules keep their instance for ever.

import instantiate from '../wasm/kdf.js';
import { notLoaded } from './errors.js';

/** Passphrase (wiped after use), salt, memory in KiB, passes, lanes. */
export type KdfInput = [Uint8Array, Uint8Array, number, number, number];

/** The KDF's Wasm. Not streamed: that wants a server which knows the type of a Wasm, and 40 KB need no stream. */
export async function loadKdf(url: string | URL): Promise<WebAssembly.Module> {
  const bytes = fetch(url).then((response) => response.arrayBuffer());
  return bytes.then((bytes) => WebAssembly.compile(bytes)).catch(notLoaded);
}

export function runKdf(module: WebAssembly.Module, input: KdfInput): Uint8Array {
  try {
    const kdf = instantiate();
    kdf.initSync({ module });
    return kdf.derive(...input);
  } finally {
    input[0].fill(0);
  }
}
