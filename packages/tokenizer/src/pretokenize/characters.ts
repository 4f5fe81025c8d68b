import { CASELESS, codePointClass, LOWER, MARK, OTHER, SPACE, UPPER } from "../unicode/classTable.ts";

/** A set of classes: the bit `1 << class` of each. */
export const LETTERS = (1 << UPPER) | (1 << LOWER) | (1 << CASELESS);
export const OTHERS = (1 << OTHER) | (1 << MARK);

/**
 * Class in the low three bits, length in bytes above them, of the character at `i`. A byte that is not part of valid
 * UTF-8 counts as one character of class other, as U+FFFD would.
 */
export function classAt(bytes: Uint8Array, i: number): number {
  const end = bytes.length;
  const b0 = bytes[i]!;
  if (b0 < 0x80) return 8 | codePointClass[b0]!;
  if (b0 < 0xc2 || b0 > 0xf4) return 8 | OTHER; // stray continuation, overlong or out of range
  if (b0 < 0xe0) {
    const b1 = i + 1 < end ? bytes[i + 1]! : 0;
    if ((b1 & 0xc0) !== 0x80) return 8 | OTHER;
    return 16 | codePointClass[((b0 & 0x1f) << 6) | (b1 & 0x3f)]!;
  }
  if (b0 < 0xf0) {
    const b1 = i + 2 < end ? bytes[i + 1]! : 0;
    const b2 = i + 2 < end ? bytes[i + 2]! : 0;
    if ((b1 & 0xc0) !== 0x80 || (b2 & 0xc0) !== 0x80) return 8 | OTHER;
    const codePoint = ((b0 & 0x0f) << 12) | ((b1 & 0x3f) << 6) | (b2 & 0x3f);
    if (codePoint < 0x800 || (codePoint >= 0xd800 && codePoint < 0xe000)) return 8 | OTHER;
    return 24 | codePointClass[codePoint]!;
  }
  if (i + 3 >= end) return 8 | OTHER;
  const b1 = bytes[i + 1]!;
  const b2 = bytes[i + 2]!;
  const b3 = bytes[i + 3]!;
  if ((b1 & 0xc0) !== 0x80 || (b2 & 0xc0) !== 0x80 || (b3 & 0xc0) !== 0x80) return 8 | OTHER;
  const codePoint = ((b0 & 0x07) << 18) | ((b1 & 0x3f) << 12) | ((b2 & 0x3f) << 6) | (b3 & 0x3f);
  if (codePoint < 0x10000 || codePoint > 0x10ffff) return 8 | OTHER;
  return 32 | codePointClass[codePoint]!;
}

/** End of the run of characters whose class is in `set`. */
export function runEnd(bytes: Uint8Array, from: number, set: number): number {
  let i = from;
  while (i < bytes.length) {
    const byte = bytes[i]!;
    if (byte < 0x80) {
      if (((set >> codePointClass[byte]!) & 1) === 0) break;
      i++;
    } else {
      const packed = classAt(bytes, i);
      if (((set >> (packed & 7)) & 1) === 0) break;
      i += packed >> 3;
    }
  }
  return i;
}

export const LF = 0x0a;
export const CR = 0x0d;
export const isNewline = (byte: number | undefined): boolean => byte === LF || byte === CR;

export function newlinesEnd(bytes: Uint8Array, from: number): number {
  let i = from;
  while (i < bytes.length && isNewline(bytes[i])) i++;
  return i;
}

/** At most `limit` numbers; one is already behind `from`. */
export function numbersEnd(bytes: Uint8Array, from: number, limit: number, numberClass: number): number {
  let i = from;
  for (let taken = 1; taken < limit && i < bytes.length; taken++) {
    const packed = classAt(bytes, i);
    if ((packed & 7) !== numberClass) break;
    i += packed >> 3;
  }
  return i;
}

const APOSTROPHE = 0x27;

/**
 * `'s 't 're 've 'm 'll 'd` at `start`, or zero. `anyCase` takes capitals and U+017F, which folds to s.
 */
export function contractionEnd(bytes: Uint8Array, start: number, anyCase: boolean): number {
  const remaining = bytes.length - start;
  if (remaining < 2 || bytes[start] !== APOSTROPHE) return 0;
  const fold = anyCase ? 0x20 : 0;
  const a = bytes[start + 1]! | fold;
  if (a === 0x73 || a === 0x74 || a === 0x6d || a === 0x64) return start + 2; // s t m d
  if (remaining < 3) return 0;
  if (anyCase && bytes[start + 1] === 0xc5 && bytes[start + 2] === 0xbf) return start + 3; // U+017F
  const b = bytes[start + 2]! | fold;
  if (a === 0x72 && b === 0x65) return start + 3; // re
  if (a === 0x76 && b === 0x65) return start + 3; // ve
  if (a === 0x6c && b === 0x6c) return start + 3; // ll
  return 0;
}

/**
 * The white-space alternatives `\s*[\r\n]+ | \s+(?!\S) | \s+`: up to the last newline (unless the pattern has no such
 * alternative), all but the last character before other text, or everything.
 */
export function spacesEnd(bytes: Uint8Array, start: number, newlines: boolean): number {
  let afterNewline = 0;
  let last = start; // where the last white-space character of the run begins
  let i = start;
  while (i < bytes.length) {
    const packed = classAt(bytes, i);
    if ((packed & 7) !== SPACE) break;
    last = i;
    i += packed >> 3;
    if (isNewline(bytes[last])) afterNewline = i;
  }
  if (newlines && afterNewline !== 0) return afterNewline;
  return i < bytes.length && last > start ? last : i;
}
