import { mergerOf } from "./merge.ts";
import { cachedMerge } from "./pieceCache.ts";
import { type PatternName, patterns } from "./pretokenize/patterns.ts";
import { type Ranks, vocabularyOf } from "./vocabulary.ts";

/** Room for ids that `EncodeCore.encode` needs beyond one for each byte. */
export const OUTPUT_SLACK = 16;

/** What turns bytes into ranks: the addon's, the WebAssembly module's, or the one below. All give the same ranks for every text and vocabulary. */
export interface EncodeCore {
  readonly kind: "native" | "wasm" | "typescript";
  /** Writes the ranks of ordinary text to `out`, which has room for `bytes.length + OUTPUT_SLACK`; returns how many. */
  encode(bytes: Uint8Array, out: Uint32Array): number;
  /**
   * The same for texts that lie end to end, in one call; absent where that would save nothing.
   *
   * @param ends       where each text ends `[documents]`
   * @param separator  written behind the ranks of each text; negative: nothing is
   * @param out        has room for `bytes.length + documents + OUTPUT_SLACK`
   * @param idEnds     result: where the ranks of each text end, its separator included `[documents]`
   */
  encodeDocuments?(bytes: Uint8Array, ends: Uint32Array, separator: number, out: Uint32Array, idEnds: Uint32Array): number;
}

/**
 * The encoder in TypeScript: what the other two are judged against, and what runs where neither can.
 *
 * @throws {DataError} when the ranks do not hold all 256 bytes, or a token twice
 */
export function typescriptEncodeCore(ranks: Ranks, pattern: PatternName, where: string): EncodeCore {
  const vocabulary = vocabularyOf(ranks, where);
  const merge = cachedMerge(vocabulary, mergerOf(vocabulary));
  const { pieceEnd } = patterns[pattern];
  return {
    kind: "typescript",
    encode(bytes, out) {
      let written = 0;
      for (let start = 0; start < bytes.length; ) {
        const end = pieceEnd(bytes, start);
        written = merge(bytes, start, end, out, written);
        start = end;
      }
      return written;
    },
  };
}
