// Types of wasm/kdf.js, which scripts/build-wasm.sh makes a factory of; copied beside it.

/** Makes a fresh, unshared copy of the generated glue. */
export default function instantiate(): {
  initSync(input: { module: WebAssembly.Module }): unknown;
  /** Argon2id. Throws the code of the error as a text. */
  derive(passphrase: Uint8Array, salt: Uint8Array, memoryKib: number, passes: number, lanes: number): Uint8Array;
};
