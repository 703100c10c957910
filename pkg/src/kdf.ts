// Argon2id in an instance of its own: Wasm memory never shrinks, so the instance is dropped after use and its 19 MiB
// with it. The glue is a factory (see scripts/build-wasm.sh) because generated modules keep their instance for ever.

import instantiate from '../wasm/kdf.js';

/** Passphrase (wiped after use), salt, memory in KiB, passes, lanes. */
export type KdfInput = [Uint8Array, Uint8Array, number, number, number];

export function runKdf(module: WebAssembly.Module, input: KdfInput): Uint8Array {
  try {
    const kdf = instantiate();
    kdf.initSync({ module });
    return kdf.derive(...input);
  } finally {
    input[0].fill(0);
  }
}
