/**
 * Neighbouring pairs of tokens with their weighted counts and the pieces they were seen in. Pairs are numbered in order
 * of first sight and never removed.
 */
export class PairTable {
  left = new Int32Array(1 << 14);
  right = new Int32Array(1 << 14);
  /** Occurrences in the corpus now; doubles, so that no corpus overflows them. */
  count = new Float64Array(1 << 14);
  /** Pieces that held the pair at some time; a piece may stand there twice, or hold it no longer. */
  readonly pieces: number[][] = [];
  #slots = new Int32Array(1 << 15).fill(-1);

  get size(): number {
    return this.pieces.length;
  }

  /** Number of the pair, which is added when new. */
  indexOf(left: number, right: number): number {
    let slot = hash(left, right) & (this.#slots.length - 1);
    for (; this.#slots[slot]! >= 0; slot = (slot + 1) & (this.#slots.length - 1)) {
      const pair = this.#slots[slot]!;
      if (this.left[pair] === left && this.right[pair] === right) return pair;
    }
    const pair = this.pieces.length;
    this.left[pair] = left;
    this.right[pair] = right;
    this.#slots[slot] = pair;
    this.pieces.push([]);
    if (this.pieces.length === this.left.length) this.#grow();
    return pair;
  }

  #grow(): void {
    const capacity = this.left.length * 2;
    const grown = <A extends Int32Array | Float64Array>(from: A, to: A): A => (to.set(from), to);
    this.left = grown(this.left, new Int32Array(capacity));
    this.right = grown(this.right, new Int32Array(capacity));
    this.count = grown(this.count, new Float64Array(capacity));
    this.#slots = new Int32Array(capacity * 2).fill(-1);
    for (let pair = 0; pair < this.pieces.length; pair++) {
      let slot = hash(this.left[pair]!, this.right[pair]!) & (this.#slots.length - 1);
      while (this.#slots[slot]! >= 0) slot = (slot + 1) & (this.#slots.length - 1);
      this.#slots[slot] = pair;
    }
  }
}

function hash(left: number, right: number): number {
  const mixed = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
