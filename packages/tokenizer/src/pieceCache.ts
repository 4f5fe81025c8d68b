import type { Merge } from "./merge.ts";
import { hashBytes, NO_RANK, type Vocabulary } from "./vocabulary.ts";

/** Longer pieces are too rare to remember. */
const MAX_PIECE_BYTES = 128;
const SLOTS = 1 << 18;
const MAX_ENTRIES = 160_000;
const KEY_BYTES = 1 << 21;
const ID_CELLS = 1 << 20;

/**
 * Merging with a memory for short pieces. The memory has a fixed size (about 11 MB, taken as it fills) and is emptied
 * when full: a corpus of any length needs no more.
 */
export function cachedMerge(vocabulary: Vocabulary, merge: Merge): Merge {
  // One entry: hash, start of its bytes, length | count << 8, first id (count 1) or start of its ids (count > 1).
  const entries = new Int32Array(SLOTS * 4);
  const keys = new Uint8Array(KEY_BYTES);
  const ids = new Uint32Array(ID_CELLS);
  let numEntries = 0;
  let keysUsed = 0;
  let idsUsed = 0;

  const forget = () => {
    entries.fill(0);
    numEntries = keysUsed = idsUsed = 0;
  };
  const remember = (slot: number, hash: number, bytes: Uint8Array, start: number, length: number, out: Uint32Array, at: number, count: number) => {
    if (numEntries >= MAX_ENTRIES || keysUsed + length > KEY_BYTES || idsUsed + count > ID_CELLS) return forget();
    numEntries++;
    entries[slot] = hash;
    entries[slot + 1] = keysUsed;
    entries[slot + 2] = length | (count << 8);
    entries[slot + 3] = count === 1 ? out[at]! : idsUsed;
    for (let i = 0; i < length; i++) keys[keysUsed + i] = bytes[start + i]!;
    keysUsed += length;
    if (count > 1) {
      for (let i = 0; i < count; i++) ids[idsUsed + i] = out[at + i]!;
      idsUsed += count;
    }
  };
  const encodePiece: Merge = (bytes, start, end, out, at) => {
    const rank =
      end - start > vocabulary.maxTokenBytes ? NO_RANK : vocabulary.find(bytes, start, end - start, hashBytes(bytes, start, end));
    if (rank === NO_RANK) return merge(bytes, start, end, out, at);
    out[at] = rank;
    return at + 1;
  };

  return (bytes, start, end, out, at) => {
    const length = end - start;
    if (length > MAX_PIECE_BYTES) return encodePiece(bytes, start, end, out, at);
    const hash = hashBytes(bytes, start, end);
    let slot = (hash & (SLOTS - 1)) * 4;
    for (; entries[slot + 2] !== 0; slot = (slot + 4) & (SLOTS * 4 - 1)) {
      if (entries[slot] !== hash) continue;
      const packed = entries[slot + 2]!;
      if ((packed & 0xff) !== length) continue;
      const key = entries[slot + 1]!;
      let i = 0;
      while (i < length && keys[key + i] === bytes[start + i]) i++;
      if (i < length) continue;
      const count = packed >> 8;
      const first = entries[slot + 3]!;
      if (count === 1) {
        out[at] = first;
        return at + 1;
      }
      for (let k = 0; k < count; k++) out[at + k] = ids[first + k]!;
      return at + count;
    }
    const after = encodePiece(bytes, start, end, out, at);
    remember(slot, hash, bytes, start, length, out, at, after - at);
    return after;
  };
}
