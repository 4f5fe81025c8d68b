import { NUMBER, SPACE } from "../unicode/classTable.ts";
import { classAt, contractionEnd, LETTERS, OTHERS, runEnd, spacesEnd } from "./characters.ts";

const BLANK = 0x20;

/**
 * End of the piece that starts at `start`, by the GPT-2 pattern:
 *
 *     's|'t|'re|'ve|'m|'ll|'d | ?\p{L}+ | ?\p{N}+ | ?[^\s\p{L}\p{N}]+ | \s+(?!\S) | \s+
 *
 * @see Radford et al. 2019, `encoder.py` of the published code
 */
export function gpt2PieceEnd(bytes: Uint8Array, start: number): number {
  const contraction = contractionEnd(bytes, start, false);
  if (contraction !== 0) return contraction;
  const blank = bytes[start] === BLANK && start + 1 < bytes.length && (classAt(bytes, start + 1) & 7) !== SPACE;
  const body = blank ? start + 1 : start;
  const packed = classAt(bytes, body);
  const behind = body + (packed >> 3);
  if (LETTERS & (1 << (packed & 7))) return runEnd(bytes, behind, LETTERS);
  if ((packed & 7) === NUMBER) return runEnd(bytes, behind, 1 << NUMBER);
  if ((packed & 7) === SPACE) return spacesEnd(bytes, start, false);
  return runEnd(bytes, behind, OTHERS);
}
