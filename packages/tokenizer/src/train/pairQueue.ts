import { byteOrder } from "./byteOrder.ts";
import type { PairTable } from "./pairTable.ts";

/**
 * The most frequent pair first; equal counts by the earlier left token, then the earlier right token: bytes by
 * `byteOrder`, then learned tokens by rank. Counts that fell since a pair was pushed are noticed when it comes up (it
 * sinks to its place); pairs whose count rose must be pushed again.
 */
export class PairQueue {
  readonly #pairs: PairTable;
  readonly #heap: number[] = [];
  /** Count of a pair at the time of its last push: the key that the heap is ordered by. */
  readonly #keys: number[] = [];

  constructor(pairs: PairTable) {
    this.#pairs = pairs;
  }

  push(pair: number): void {
    this.#add(this.#pairs.count[pair]!, pair);
  }

  /** The pair with the highest count now, or -1 when none has any. */
  pop(): number {
    while (this.#heap.length > 0) {
      const pair = this.#heap[0]!;
      const key = this.#keys[0]!;
      this.#removeTop();
      const count = this.#pairs.count[pair]!;
      if (count === key && count > 0) return pair;
      if (count > 0 && count < key) this.#add(count, pair); // a count above the key has an entry of its own
    }
    return -1;
  }

  #before(keyA: number, a: number, keyB: number, b: number): boolean {
    if (keyA !== keyB) return keyA > keyB;
    const { left, right } = this.#pairs;
    return left[a] !== left[b] ? place(left[a]!) < place(left[b]!) : place(right[a]!) < place(right[b]!);
  }

  #add(key: number, pair: number): void {
    const heap = this.#heap;
    const keys = this.#keys;
    let i = heap.length;
    heap.push(pair);
    keys.push(key);
    for (let parent = (i - 1) >> 1; i > 0 && this.#before(key, pair, keys[parent]!, heap[parent]!); parent = (i - 1) >> 1) {
      heap[i] = heap[parent]!;
      keys[i] = keys[parent]!;
      i = parent;
    }
    heap[i] = pair;
    keys[i] = key;
  }

  #removeTop(): void {
    const heap = this.#heap;
    const keys = this.#keys;
    const pair = heap.pop()!;
    const key = keys.pop()!;
    if (heap.length === 0) return;
    let i = 0;
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      if (child + 1 < heap.length && this.#before(keys[child + 1]!, heap[child + 1]!, keys[child]!, heap[child]!)) child++;
      if (!this.#before(keys[child]!, heap[child]!, key, pair)) break;
      heap[i] = heap[child]!;
      keys[i] = keys[child]!;
      i = child;
    }
    heap[i] = pair;
    keys[i] = key;
  }
}

const place = (token: number): number => (token < 256 ? byteOrder[token]! : token);
