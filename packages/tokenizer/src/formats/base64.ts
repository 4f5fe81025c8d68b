const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** By hand: tokens are a few bytes long, and `btoa` with its string of characters costs several times as much. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const bits = (bytes[i]! << 16) | ((left > 1 ? bytes[i + 1]! : 0) << 8) | (left > 2 ? bytes[i + 2]! : 0);
    text += DIGITS[bits >> 18]! + DIGITS[(bits >> 12) & 63]! + (left > 1 ? DIGITS[(bits >> 6) & 63]! : "=") + (left > 2 ? DIGITS[bits & 63]! : "=");
  }
  return text;
}

/** Nothing when the text is not base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
