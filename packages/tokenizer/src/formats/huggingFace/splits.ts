import { type Ranks, NO_RANK, type Vocabulary, hashBytes, vocabularyOf } from "../../vocabulary.ts";

/**
 * The two tokens that the last join of a token's own bytes puts together, as ranks; nothing for a single byte and for a
 * token that no joins lead to. Lists of merges and lists of ranks say the same exactly where every token has one.
 */
export function splitOf({ bytes, offsets, byteRank, find }: Vocabulary, rank: number): [left: number, right: number] | undefined {
  const start = offsets[rank]!;
  const length = offsets[rank + 1]! - start;
  const starts = Array.from({ length: length + 1 }, (_, i) => i);
  const parts = Array.from(bytes.subarray(start, start + length), (byte) => byteRank[byte]!);
  const rankAt = (i: number) => {
    const from = start + starts[i]!;
    const to = start + starts[i + 2]!;
    return find(bytes, from, to - from, hashBytes(bytes, from, to));
  };
  while (parts.length > 2) {
    let lowest = NO_RANK;
    let where = 0;
    for (let i = 0; i + 1 < parts.length; i++) {
      const candidate = rankAt(i);
      if (candidate < lowest) {
        lowest = candidate;
        where = i;
      }
    }
    if (lowest >= rank) return undefined;
    parts.splice(where, 2, lowest);
    starts.splice(where + 1, 1);
  }
  return parts.length === 2 ? [parts[0]!, parts[1]!] : undefined;
}

/** Splits of all tokens, in rank order; see `splitOf`. */
export function splitsOf(ranks: Ranks, where: string): ([left: number, right: number] | undefined)[] {
  const vocabulary = vocabularyOf(ranks, where);
  return Array.from({ length: vocabulary.size }, (_, rank) => splitOf(vocabulary, rank));
}
