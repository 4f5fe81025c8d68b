import { cl100kPieceEnd, pieceEnd } from "./cl100k.ts";
import { gpt2PieceEnd } from "./gpt2.ts";
import { o200kPieceEnd } from "./o200k.ts";

/** How text is cut into pieces before merging. `qwen2` is cl100k's with one number a piece. */
export type PatternName = "cl100k" | "gpt2" | "o200k" | "qwen2";

/** End of the piece that starts at a place. */
export type PieceEnd = (bytes: Uint8Array, start: number) => number;

export interface PretokenizePattern {
  pieceEnd: PieceEnd;
  /** `Pattern` in native/core/encode_core.h. */
  nativeNumber: number;
}

export const patterns: Readonly<Record<PatternName, PretokenizePattern>> = {
  cl100k: { pieceEnd, nativeNumber: 0 },
  gpt2: { pieceEnd: gpt2PieceEnd, nativeNumber: 1 },
  o200k: { pieceEnd: o200kPieceEnd, nativeNumber: 2 },
  qwen2: { pieceEnd: (bytes, start) => cl100kPieceEnd(bytes, start, 1), nativeNumber: 3 },
};
