import { ConfigError, DataError } from "@espalier/core";
import { mix } from "./words.ts";

const WORDS = 4;
const FIRST_SLOTS = 1 << 8;

/**
 * A set of 128-bit hashes in 16 to 40 bytes each: one flat table, not objects, so that a hundred million documents fit a
 * workstation. Grows up to `maxBytes`.
 */
export class HashSet {
  readonly #maxBytes: number;
  #table = new Uint32Array(FIRST_SLOTS * WORDS);
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Adds a hash; false when it was there.
   *
   * @param hash four words, not all zero
   * @throws {DataError} when the table would need more than its memory
   */
  add(hash: Uint32Array, at = 0): boolean {
    const slot = this.#find(this.#table, hash, at);
    if (slot < 0) return false;
    this.#table.set(hash.subarray(at, at + WORDS), slot);
    if (++this.#size * WORDS * 5 > this.#table.length * 4) this.#grow();
    return true;
  }

  /** Where the hash belongs; -1 when it is there. */
  #find(table: Uint32Array, hash: Uint32Array, at: number): number {
    const mask = table.length / WORDS - 1;
    for (let slot = hash[at]! & mask; ; slot = (slot + 1) & mask) {
      const i = slot * WORDS;
      if ((table[i]! | table[i + 1]! | table[i + 2]! | table[i + 3]!) === 0) return i;
      if (table[i] === hash[at] && table[i + 1] === hash[at + 1] && table[i + 2] === hash[at + 2] && table[i + 3] === hash[at + 3]) return -1;
    }
  }

  #grow(): void {
    const bytes = this.#table.byteLength * 2;
    if (bytes > this.#maxBytes) {
      throw new DataError(`duplicates: ${this.#size} documents fill the table's ${this.#maxBytes} bytes, expected fewer. Allow it more memory and run again: it goes on from here.`);
    }
    const larger = new Uint32Array(this.#table.length * 2);
    for (let i = 0; i < this.#table.length; i += WORDS) {
      const slot = (this.#table[i]! | this.#table[i + 1]! | this.#table[i + 2]! | this.#table[i + 3]!) === 0 ? -1 : this.#find(larger, this.#table, i);
      if (slot >= 0) larger.set(this.#table.subarray(i, i + WORDS), slot);
    }
    this.#table = larger;
  }
}

const PROBES = 7;

/**
 * Which band keys were seen, in memory that does not grow: a Bloom filter a band. A text is a near copy when any of its
 * keys was seen before. Copies count as seen as well, so that the order of texts alone decides, and parts of a corpus can
 * be treated apart and joined. A filter may take a new key for a seen one; `falsePositiveRate` says how often by now.
 *
 * @see Khan et al. 2024, arXiv:2411.04257 (LSHBloom)
 */
export class BandFilters {
  readonly #bits: Uint32Array[];
  readonly #numBits: number;
  readonly #set: Float64Array;

  constructor(bands: number, memoryBytes: number) {
    const words = Math.floor(memoryBytes / bands / 4);
    if (!(words >= 256)) throw new ConfigError(`near duplicates: ${memoryBytes} bytes for ${bands} bands, expected at least ${bands * 1024}. Allow more memory.`);
    this.#numBits = words * 32;
    this.#bits = Array.from({ length: bands }, () => new Uint32Array(words));
    this.#set = new Float64Array(bands);
  }

  /** Adds a text's keys; true when one was there. */
  add(keys: Uint32Array, at = 0): boolean {
    let seen = false;
    for (const [band, bits] of this.#bits.entries()) {
      const low = keys[at + 2 * band]!;
      const step = (keys[at + 2 * band + 1]! | 1) >>> 0;
      let all = true;
      for (let probe = 0; probe < PROBES; probe++) {
        const hash = mix(low + Math.imul(probe, step)) >>> 0;
        const bit = Math.floor((hash / 2 ** 32) * this.#numBits); // up to 2^32 bits a band: 512 MiB
        const mask = 1 << (bit & 31);
        if ((bits[bit >>> 5]! & mask) === 0) {
          all = false;
          bits[bit >>> 5]! |= mask;
          this.#set[band]!++;
        }
      }
      seen ||= all;
    }
    return seen;
  }

  /** Probability that a text unlike all before is taken for a copy of one. */
  get falsePositiveRate(): number {
    let none = 1;
    for (const set of this.#set) none *= 1 - (set / this.#numBits) ** PROBES;
    return 1 - none;
  }
}
