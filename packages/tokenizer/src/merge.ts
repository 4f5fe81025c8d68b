import { hashBytes, NO_RANK, type Vocabulary } from "./vocabulary.ts";

/** Pieces up to this many bytes are merged by scanning for the minimum: faster than a heap there. */
const SCAN_BYTES = 96;
const PAIR_MEMO_BITS = 16;

/** Writes the ids of `bytes[start .. end)` to `out` from `at` on and returns the index behind the last. */
export type Merge = (bytes: Uint8Array, start: number, end: number, out: Uint32Array, at: number) => number;

/**
 * Byte-pair merging by rank: while two neighbours together are a token, join those of the lowest rank, leftmost first.
 * What a join makes is decided by the bytes, as in tiktoken, not by a list of merges. Long pieces go through a heap
 * (n log n), so that a megabyte without a single break stays well under a second.
 */
export function mergerOf(vocabulary: Vocabulary): Merge {
  const pairRank = pairRankOf(vocabulary);
  const { byteRank } = vocabulary;
  const shortIds = new Int32Array(SCAN_BYTES);
  const shortRanks = new Int32Array(SCAN_BYTES);

  const mergeByScan: Merge = (bytes, start, end, out, at) => {
    let last = end - start - 1; // index of the last part
    for (let i = 0; i <= last; i++) shortIds[i] = byteRank[bytes[start + i]!]!;
    for (let i = 0; i < last; i++) shortRanks[i] = pairRank(shortIds[i]!, shortIds[i + 1]!);
    for (;;) {
      let lowest = NO_RANK;
      let where = 0;
      for (let i = 0; i < last; i++) {
        if (shortRanks[i]! < lowest) {
          lowest = shortRanks[i]!;
          where = i;
        }
      }
      if (lowest === NO_RANK) break;
      shortIds[where] = lowest;
      for (let i = where + 1; i < last; i++) {
        shortIds[i] = shortIds[i + 1]!;
        shortRanks[i] = shortRanks[i + 1]!;
      }
      last--;
      if (where < last) shortRanks[where] = pairRank(lowest, shortIds[where + 1]!);
      if (where > 0) shortRanks[where - 1] = pairRank(shortIds[where - 1]!, lowest);
    }
    for (let i = 0; i <= last; i++) out[at + i] = shortIds[i]!;
    return at + last + 1;
  };

  const mergeByHeap: Merge = (bytes, start, end, out, at) => {
    const length = end - start;
    const ids = new Int32Array(length);
    const ranks = new Int32Array(length).fill(NO_RANK); // of part i with the one after it
    const next = new Int32Array(length); // `length` at the end
    const previous = new Int32Array(length); // -1 at the start
    for (let i = 0; i < length; i++) {
      ids[i] = byteRank[bytes[start + i]!]!;
      next[i] = i + 1;
      previous[i] = i - 1;
    }
    const heap = new MinHeap(length * 2);
    for (let i = 0; i + 1 < length; i++) {
      ranks[i] = pairRank(ids[i]!, ids[i + 1]!);
      if (ranks[i] !== NO_RANK) heap.append(ranks[i]! * POSITIONS + i);
    }
    heap.heapify();

    while (heap.size > 0) {
      const key = heap.pop();
      const rank = Math.floor(key / POSITIONS);
      const here = key - rank * POSITIONS;
      if (ranks[here] !== rank) continue; // one of its parts has been joined to another since
      const joined = next[here]!;
      const after = next[joined]!;
      ids[here] = rank;
      ranks[joined] = NO_RANK;
      next[here] = after;
      ranks[here] = NO_RANK;
      if (after < length) {
        previous[after] = here;
        ranks[here] = pairRank(rank, ids[after]!);
        if (ranks[here] !== NO_RANK) heap.push(ranks[here]! * POSITIONS + here);
      }
      const before = previous[here]!;
      if (before >= 0) {
        ranks[before] = pairRank(ids[before]!, rank);
        if (ranks[before] !== NO_RANK) heap.push(ranks[before]! * POSITIONS + before);
      }
    }
    let written = at;
    for (let i = 0; i < length; i = next[i]!) out[written++] = ids[i]!;
    return written;
  };

  return (bytes, start, end, out, at) =>
    end - start <= SCAN_BYTES ? mergeByScan(bytes, start, end, out, at) : mergeByHeap(bytes, start, end, out, at);
}

/** Heap keys are `rank * POSITIONS + position`: exact in a double while ranks stay below 2^21. */
export const POSITIONS = 2 ** 32;

/** Rank of the token that two tokens make together; remembered in a table of fixed size. */
function pairRankOf({ bytes, offsets, maxTokenBytes, find }: Vocabulary): (left: number, right: number) => number {
  const memoLeft = new Int32Array(1 << PAIR_MEMO_BITS).fill(-1);
  const memoRight = new Int32Array(1 << PAIR_MEMO_BITS);
  const memoRank = new Int32Array(1 << PAIR_MEMO_BITS);
  const both = new Uint8Array(maxTokenBytes);

  const compute = (left: number, right: number): number => {
    const leftStart = offsets[left]!;
    const leftLength = offsets[left + 1]! - leftStart;
    const rightStart = offsets[right]!;
    const length = leftLength + offsets[right + 1]! - rightStart;
    if (length > maxTokenBytes) return NO_RANK;
    for (let i = 0; i < leftLength; i++) both[i] = bytes[leftStart + i]!;
    for (let i = leftLength; i < length; i++) both[i] = bytes[rightStart + i - leftLength]!;
    return find(both, 0, length, hashBytes(both, 0, length));
  };
  return (left, right) => {
    const slot = (Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)) >>> (32 - PAIR_MEMO_BITS);
    if (memoLeft[slot] === left && memoRight[slot] === right) return memoRank[slot]!;
    const rank = compute(left, right);
    memoLeft[slot] = left;
    memoRight[slot] = right;
    memoRank[slot] = rank;
    return rank;
  };
}

/** Binary min-heap of numbers in one typed array. */
export class MinHeap {
  size = 0;
  readonly #keys: Float64Array;

  constructor(capacity: number) {
    this.#keys = new Float64Array(capacity);
  }

  /** Adds without order; `heapify` must follow. */
  append(key: number): void {
    this.#keys[this.size++] = key;
  }

  heapify(): void {
    for (let i = (this.size >> 1) - 1; i >= 0; i--) this.#siftDown(i);
  }

  push(key: number): void {
    const keys = this.#keys;
    let i = this.size++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[i] = keys[parent]!;
      i = parent;
    }
    keys[i] = key;
  }

  pop(): number {
    const top = this.#keys[0]!;
    this.#keys[0] = this.#keys[--this.size]!;
    this.#siftDown(0);
    return top;
  }

  #siftDown(from: number): void {
    const keys = this.#keys;
    const size = this.size;
    const key = keys[from]!;
    let i = from;
    for (let child = 2 * i + 1; child < size; child = 2 * i + 1) {
      if (child + 1 < size && keys[child + 1]! < keys[child]!) child++;
      if (keys[child]! >= key) break;
      keys[i] = keys[child]!;
      i = child;
    }
    keys[i] = key;
  }
}
