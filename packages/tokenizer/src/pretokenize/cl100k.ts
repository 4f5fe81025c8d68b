import { NUMBER, SPACE } from "../unicode/classTable.ts";
import { classAt, contractionEnd, isNewline, LETTERS, newlinesEnd, numbersEnd, OTHERS, runEnd, spacesEnd } from "./characters.ts";

const BLANK = 0x20;
const APOSTROPHE = 0x27;

/**
 * End of the piece that starts at `start`, by the cl100k pattern, on UTF-8 bytes:
 *
 *     (?i:'s|'t|'re|'ve|'m|'ll|'d) | [^\r\n\p{L}\p{N}]?\p{L}+ | \p{N}{1,3}
 *     | ?[^\s\p{L}\p{N}]+[\r\n]* | \s*[\r\n]+ | \s+(?!\S) | \s+
 *
 * Pieces never overlap and leave nothing out; the pattern always matches at least one character. Linear: a run of white
 * space is looked at no more than twice.
 *
 * @param start index of the first byte, less than `bytes.length`
 * @see tiktoken, `tiktoken_ext/openai_public.py`, `cl100k_base`
 */
export function pieceEnd(bytes: Uint8Array, start: number): number {
  return cl100kPieceEnd(bytes, start, 3);
}

/** The same with `\p{N}{1,numberLimit}`; Qwen 2 has one number a piece. */
export function cl100kPieceEnd(bytes: Uint8Array, start: number, numberLimit: number): number {
  const end = bytes.length;
  const first = bytes[start]!;
  if (first === APOSTROPHE) {
    const contraction = contractionEnd(bytes, start, true);
    if (contraction !== 0) return contraction;
  }

  const packed = classAt(bytes, start);
  const firstSet = 1 << (packed & 7);
  const next = start + (packed >> 3);
  if (firstSet & LETTERS) return runEnd(bytes, next, LETTERS);
  if ((packed & 7) === NUMBER) return numbersEnd(bytes, next, numberLimit, NUMBER);

  const nextPacked = next < end ? classAt(bytes, next) : SPACE;
  const nextSet = 1 << (nextPacked & 7);
  if (nextSet & LETTERS && !isNewline(first)) return runEnd(bytes, next + (nextPacked >> 3), LETTERS);
  if (firstSet & OTHERS) return newlinesEnd(bytes, runEnd(bytes, next, OTHERS));
  if (nextSet & OTHERS && first === BLANK) return newlinesEnd(bytes, runEnd(bytes, next, OTHERS));
  return spacesEnd(bytes, start, true);
}
