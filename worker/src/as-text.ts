// Bytes as text between objects: V8 copies a text of such characters as it is, where a buffer is made anew at the other end.
// For one call and its reply that is a seventh of the platform's own CPU (benches/README.md).

/** As many characters are made at once: arguments of a function lie on the stack. */
const AT_ONCE = 8_192;

/** Each byte as the character of its number. */
export function textOf(bytes: Uint8Array): string {
  if (bytes.length <= AT_ONCE) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  let text = '';
  for (let at = 0; at < bytes.length; at += AT_ONCE) text += textOf(bytes.subarray(at, at + AT_ONCE));
  return text;
}

/** The bytes again; of a character that stands for none, its low byte. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}
