import { DataError } from "@espalier/core";

/** No token has these bytes. Greater than every rank, so that a minimum over ranks needs no second test. */
export const NO_RANK = 0x7fffffff;

/**
 * Tokens in rank order: token `r` has the bytes `bytes[offsets[r] .. offsets[r + 1])`. The rank is the id, and of two
 * possible merges the one that makes the token of lower rank is done first.
 */
export interface Ranks {
  bytes: Uint8Array;
  /** `[number of tokens + 1]`, rising. */
  offsets: Uint32Array;
}

/** Ranks with an index from bytes to rank. */
export interface Vocabulary extends Ranks {
  size: number;
  maxTokenBytes: number;
  /** Rank of the token of one byte `[256]`. */
  byteRank: Int32Array;
  /** Rank of `bytes[start .. start + length)`, or `NO_RANK`; `hash` is `hashBytes` of the same range. */
  find(bytes: Uint8Array, start: number, length: number, hash: number): number;
}

/** FNV-1a with a final mix: tables index by the low bits. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

/** Ranks from tokens in rank order. */
export function ranksOf(tokens: readonly Uint8Array[]): Ranks {
  const offsets = new Uint32Array(tokens.length + 1);
  tokens.forEach((token, rank) => (offsets[rank + 1] = offsets[rank]! + token.length));
  const bytes = new Uint8Array(offsets[tokens.length]!);
  tokens.forEach((token, rank) => bytes.set(token, offsets[rank]!));
  return { bytes, offsets };
}

/**
 * Indexes ranks by their bytes.
 *
 * @param where names the vocabulary in errors
 * @throws {DataError} when a token is empty or appears twice, or one of the 256 bytes is not a token
 */
export function vocabularyOf({ bytes, offsets }: Ranks, where: string): Vocabulary {
  const size = offsets.length - 1;
  const mask = 2 ** Math.ceil(Math.log2(Math.max(size, 256) * 2)) - 1;
  const slots = new Int32Array(mask + 1).fill(-1); // open addressing, linear probing, at most half full
  const hashes = new Int32Array(size);
  const byteRank = new Int32Array(256).fill(NO_RANK);
  let maxTokenBytes = 0;

  const equal = (rank: number, other: Uint8Array, start: number, length: number): boolean => {
    const at = offsets[rank]!;
    if (offsets[rank + 1]! - at !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[at + i] !== other[start + i]) return false;
    return true;
  };
  const find = (other: Uint8Array, start: number, length: number, hash: number): number => {
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const rank = slots[slot]!;
      if (rank < 0) return NO_RANK;
      if (hashes[rank] === hash && equal(rank, other, start, length)) return rank;
    }
  };

  for (let rank = 0; rank < size; rank++) {
    const start = offsets[rank]!;
    const length = offsets[rank + 1]! - start;
    if (length < 1) throw new DataError(`${where}: token ${rank} is empty, expected at least one byte. Make the vocabulary again.`);
    const hash = hashBytes(bytes, start, start + length);
    const twin = find(bytes, start, length, hash);
    if (twin !== NO_RANK) {
      throw new DataError(`${where}: token ${rank} has the same bytes as token ${twin}, expected each once. Make the vocabulary again.`);
    }
    hashes[rank] = hash;
    let slot = hash & mask;
    while (slots[slot]! >= 0) slot = (slot + 1) & mask;
    slots[slot] = rank;
    if (length === 1) byteRank[bytes[start]!] = rank;
    if (length > maxTokenBytes) maxTokenBytes = length;
  }
  const missing = byteRank.indexOf(NO_RANK);
  if (missing >= 0) {
    throw new DataError(`${where}: byte ${missing} is not a token, expected all 256. Only byte-level vocabularies can be used.`);
  }
  return { bytes, offsets, size, maxTokenBytes, byteRank, find };
}
