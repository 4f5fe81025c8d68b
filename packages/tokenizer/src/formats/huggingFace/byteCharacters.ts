/**
 * GPT-2's way to write bytes as printable text: 33-126, 161-172 and 174-255 stand for themselves, the others, in order,
 * become U+0100 and up.
 *
 * @see Radford et al. 2019, `encoder.py`, `bytes_to_unicode`
 */
const characterOf: readonly string[] = (() => {
  let next = 0x100;
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();
const byteOf: ReadonlyMap<string, number> = new Map(characterOf.map((character, byte) => [character, byte]));

export function bytesToCharacters(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += characterOf[byte];
  return text;
}

/** Nothing when a character stands for no byte. */
export function charactersToBytes(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const byte = byteOf.get(text[i]!);
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}
