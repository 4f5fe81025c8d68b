const DIGITS = Uint8Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", (digit) => digit.charCodeAt(0));
const PADDING = 0x3d;

export const base64Length = (numBytes: number): number => 4 * Math.ceil(numBytes / 3);

/**
 * Writes the base64 of `bytes[from .. to)` to `out` as ASCII; returns where it ends. By hand: a vocabulary has a hundred
 * thousand tokens of a few bytes each, for which a string apiece costs ten times as much.
 */
export function writeBase64(bytes: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  for (let i = from; i < to; i += 3, at += 4) {
    const left = to - i;
    const bits = (bytes[i]! << 16) | ((left > 1 ? bytes[i + 1]! : 0) << 8) | (left > 2 ? bytes[i + 2]! : 0);
    out[at] = DIGITS[bits >> 18]!;
    out[at + 1] = DIGITS[(bits >> 12) & 63]!;
    out[at + 2] = left > 1 ? DIGITS[(bits >> 6) & 63]! : PADDING;
    out[at + 3] = left > 2 ? DIGITS[bits & 63]! : PADDING;
  }
  return at;
}

/** Nothing when the text is not base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
