import { codePointClass, LETTER, NUMBER, OTHER, SPACE } from "./unicode/classTable.ts";

const LF = 0x0a;
const CR = 0x0d;
const BLANK = 0x20;
const APOSTROPHE = 0x27;

/**
 * End of the piece that starts at `start`, by the cl100k pattern, on UTF-8 bytes:
 *
 *     (?i:'s|'t|'re|'ve|'m|'ll|'d) | [^\r\n\p{L}\p{N}]?\p{L}+ | \p{N}{1,3}
 *     | ?[^\s\p{L}\p{N}]+[\r\n]* | \s*[\r\n]+ | \s+(?!\S) | \s+
 *
 * Pieces never overlap and leave nothing out; the pattern always matches at least one character. A byte that is not
 * part of valid UTF-8 counts as one character of class other, as U+FFFD would. Linear: a run of white space is looked
 * at no more than twice.
 *
 * @param start index of the first byte, less than `bytes.length`
 * @see tiktoken, `tiktoken_ext/openai_public.py`, `cl100k_base`
 */
export function pieceEnd(bytes: Uint8Array, start: number): number {
  const end = bytes.length;
  const first = bytes[start]!;
  if (first === APOSTROPHE) {
    const contraction = contractionEnd(bytes, start);
    if (contraction !== 0) return contraction;
  }

  const packed = classAt(bytes, start, end);
  const firstClass = packed & 3;
  const next = start + (packed >> 2);
  if (firstClass === LETTER) return runEnd(bytes, next, end, LETTER);
  if (firstClass === NUMBER) return numberEnd(bytes, next, end);

  const isNewline = first === LF || first === CR;
  const nextPacked = next < end ? classAt(bytes, next, end) : SPACE;
  const nextClass = nextPacked & 3;
  if (nextClass === LETTER && !isNewline) return runEnd(bytes, next + (nextPacked >> 2), end, LETTER);
  if (firstClass === OTHER) return newlinesEnd(bytes, runEnd(bytes, next, end, OTHER), end);
  if (nextClass === OTHER && first === BLANK) return newlinesEnd(bytes, runEnd(bytes, next, end, OTHER), end);
  return spacesEnd(bytes, start, end);
}

/** Class in the low two bits, length in bytes above them, of the character at `i`. */
function classAt(bytes: Uint8Array, i: number, end: number): number {
  const b0 = bytes[i]!;
  if (b0 < 0x80) return 4 | codePointClass[b0]!;
  if (b0 < 0xc2 || b0 > 0xf4) return 4 | OTHER; // stray continuation, overlong or out of range
  if (b0 < 0xe0) {
    const b1 = i + 1 < end ? bytes[i + 1]! : 0;
    if ((b1 & 0xc0) !== 0x80) return 4 | OTHER;
    return 8 | codePointClass[((b0 & 0x1f) << 6) | (b1 & 0x3f)]!;
  }
  if (b0 < 0xf0) {
    const b1 = i + 2 < end ? bytes[i + 1]! : 0;
    const b2 = i + 2 < end ? bytes[i + 2]! : 0;
    if ((b1 & 0xc0) !== 0x80 || (b2 & 0xc0) !== 0x80) return 4 | OTHER;
    const codePoint = ((b0 & 0x0f) << 12) | ((b1 & 0x3f) << 6) | (b2 & 0x3f);
    if (codePoint < 0x800 || (codePoint >= 0xd800 && codePoint < 0xe000)) return 4 | OTHER;
    return 12 | codePointClass[codePoint]!;
  }
  if (i + 3 >= end) return 4 | OTHER;
  const b1 = bytes[i + 1]!;
  const b2 = bytes[i + 2]!;
  const b3 = bytes[i + 3]!;
  if ((b1 & 0xc0) !== 0x80 || (b2 & 0xc0) !== 0x80 || (b3 & 0xc0) !== 0x80) return 4 | OTHER;
  const codePoint = ((b0 & 0x07) << 18) | ((b1 & 0x3f) << 12) | ((b2 & 0x3f) << 6) | (b3 & 0x3f);
  if (codePoint < 0x10000 || codePoint > 0x10ffff) return 4 | OTHER;
  return 16 | codePointClass[codePoint]!;
}

/** `'s 't 're 've 'm 'll 'd` in either case; U+017F folds to s. Zero when there is none. */
function contractionEnd(bytes: Uint8Array, start: number): number {
  const remaining = bytes.length - start;
  if (remaining < 2) return 0;
  const b1 = bytes[start + 1]!;
  const a = b1 | 0x20;
  if (a === 0x73 || a === 0x74 || a === 0x6d || a === 0x64) return start + 2; // s t m d
  if (remaining < 3) return 0;
  const b2 = bytes[start + 2]!;
  if (b1 === 0xc5 && b2 === 0xbf) return start + 3; // U+017F
  const b = b2 | 0x20;
  if (a === 0x72 && b === 0x65) return start + 3; // re
  if (a === 0x76 && b === 0x65) return start + 3; // ve
  if (a === 0x6c && b === 0x6c) return start + 3; // ll
  return 0;
}

function runEnd(bytes: Uint8Array, from: number, end: number, wanted: number): number {
  let i = from;
  while (i < end) {
    const byte = bytes[i]!;
    if (byte < 0x80) {
      if (codePointClass[byte] !== wanted) break;
      i++;
    } else {
      const packed = classAt(bytes, i, end);
      if ((packed & 3) !== wanted) break;
      i += packed >> 2;
    }
  }
  return i;
}

/** Up to three numbers; one is already behind `from`. */
function numberEnd(bytes: Uint8Array, from: number, end: number): number {
  let i = from;
  for (let taken = 1; taken < 3 && i < end; taken++) {
    const packed = classAt(bytes, i, end);
    if ((packed & 3) !== NUMBER) break;
    i += packed >> 2;
  }
  return i;
}

function newlinesEnd(bytes: Uint8Array, from: number, end: number): number {
  let i = from;
  while (i < end && (bytes[i] === LF || bytes[i] === CR)) i++;
  return i;
}

/** The three white-space alternatives: up to the last newline, all but the last before other text, or everything. */
function spacesEnd(bytes: Uint8Array, start: number, end: number): number {
  let afterNewline = 0;
  let last = start; // where the last white-space character of the run begins
  let i = start;
  while (i < end) {
    const packed = classAt(bytes, i, end);
    if ((packed & 3) !== SPACE) break;
    last = i;
    i += packed >> 2;
    if (bytes[last] === LF || bytes[last] === CR) afterNewline = i;
  }
  if (afterNewline !== 0) return afterNewline;
  return i < end && last > start ? last : i;
}
