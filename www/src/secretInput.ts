/**
 * Takes a secret out of its field: the field is emptied at once, `use` gets the bytes, and they are wiped after.
 * The field is not React's: a secret in state would live on in renders that nobody can wipe.
 */
export async function takeSecret(input: HTMLInputElement, use: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  // The same passphrase typed on another keyboard may be composed of other code points.
  const bytes = new TextEncoder().encode(input.value.normalize('NFKC'));
  input.value = '';
  try {
    await use(bytes);
  } finally {
    bytes.fill(0);
  }
}
