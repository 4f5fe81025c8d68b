import { CASELESS, LOWER, MARK, NUMBER, UPPER } from "../unicode/classTable.ts";
import { classAt, contractionEnd, isNewline, LETTERS, numbersEnd, OTHERS, runEnd, spacesEnd } from "./characters.ts";

const BLANK = 0x20;
const SLASH = 0x2f;
const UPPERS = (1 << UPPER) | (1 << CASELESS) | (1 << MARK);
const LOWERS = (1 << LOWER) | (1 << CASELESS) | (1 << MARK);

/**
 * End of the piece that starts at `start`, by the o200k pattern; a word ends where lower case turns to upper case:
 *
 *     [^\r\n\p{L}\p{N}]?U*L+C? | [^\r\n\p{L}\p{N}]?U+L*C? | \p{N}{1,3}
 *     | ?[^\s\p{L}\p{N}]+[\r\n/]* | \s*[\r\n]+ | \s+(?!\S) | \s+
 *
 * with U = `\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}`, L = `\p{Ll}\p{Lm}\p{Lo}\p{M}` and C the contractions.
 *
 * @see tiktoken, `tiktoken_ext/openai_public.py`, `o200k_base`
 */
export function o200kPieceEnd(bytes: Uint8Array, start: number): number {
  const end = bytes.length;
  const first = bytes[start]!;
  const packed = classAt(bytes, start);
  const set = 1 << (packed & 7);
  const next = start + (packed >> 3);
  const mayLead = next < end && !isNewline(first) && (set & (LETTERS | (1 << NUMBER))) === 0;
  const mayBegin = (set & (LETTERS | (1 << MARK))) !== 0;
  // The first form with and without the leading character, then the second; a mark may be either.
  const word = (mayLead && lowerWordEnd(bytes, next)) || (mayBegin && lowerWordEnd(bytes, start));
  if (word) return withContraction(bytes, word);
  const upper = mayLead ? runEnd(bytes, next, UPPERS) : next;
  if (upper > next) return withContraction(bytes, upper);
  if (mayBegin) return withContraction(bytes, runEnd(bytes, start, UPPERS));

  if ((packed & 7) === NUMBER) return numbersEnd(bytes, next, 3, NUMBER);
  const blank = first === BLANK && next < end && (OTHERS & (1 << (classAt(bytes, next) & 7))) !== 0;
  if (!blank && (set & OTHERS) === 0) return spacesEnd(bytes, start, true);
  let i = runEnd(bytes, blank ? next : start, OTHERS);
  while (i < end && (isNewline(bytes[i]) || bytes[i] === SLASH)) i++;
  return i;
}

/**
 * `U*L+` at `start`, or zero. U* takes what it can and gives back until an L follows: when no L follows its run, the
 * match ends behind the last character of the run that is in both.
 */
function lowerWordEnd(bytes: Uint8Array, start: number): number {
  let afterLastLower = 0;
  let i = start;
  while (i < bytes.length) {
    const packed = classAt(bytes, i);
    const set = 1 << (packed & 7);
    if ((set & UPPERS) === 0) break;
    i += packed >> 3;
    if (set & LOWERS) afterLastLower = i;
  }
  const end = runEnd(bytes, i, LOWERS);
  return end > i ? end : afterLastLower;
}

function withContraction(bytes: Uint8Array, end: number): number {
  return (end < bytes.length && contractionEnd(bytes, end, true)) || end;
}
