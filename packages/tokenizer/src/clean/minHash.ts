import { ConfigError } from "@espalier/core";
import { eachNgram, mix, wordHashes } from "./words.ts";

export interface MinHashOptions {
  /** Words of a shingle. Default 5. */
  shingleWords?: number;
  /** Default 14. */
  bands?: number;
  /** Hashes that must all agree for two texts to meet in a band. Default 8. */
  rows?: number;
}

/**
 * Keys under which near copies of a text are found: texts of Jaccard similarity s (of their sets of word shingles) share
 * at least one of `bands` keys with probability `1 - (1 - s^rows)^bands`; with 14 bands of 8 that is one half at s = 0.69,
 * 0.92 at 0.8 and 0.03 at 0.4.
 *
 * One hash a shingle, put into one of `bands * rows` bins of which each keeps its least; empty bins borrow from others
 * (one-permutation hashing with optimal densification), so the cost does not grow with the number of bins.
 *
 * @returns keys of a text, low and high half of each band in turn `[2 * bands]`; nothing for a text shorter than a shingle
 * @throws {ConfigError} when an option is not a whole number above 0
 * @see Broder 1997; Shrivastava 2017, arXiv:1703.04664 (densification); bands and rows of datatrove's FineWeb recipe
 */
export function minHasher({ shingleWords = 5, bands = 14, rows = 8 }: MinHashOptions = {}): (text: Uint8Array) => Uint32Array | undefined {
  for (const [name, value] of Object.entries({ shingleWords, bands, rows })) {
    if (!Number.isInteger(value) || value < 1) throw new ConfigError(`minHash: ${name} is ${value}, expected a whole number above 0. Leave it out for the default.`);
  }
  const signature = minHashSignature(bands * rows, shingleWords);
  return (text) => {
    const values = signature(text);
    if (!values) return undefined;
    const keys = new Uint32Array(2 * bands);
    for (let band = 0; band < bands; band++) {
      let low = 0x811c9dc5 | 0;
      let high = 0x2f0b4c47 | 0;
      for (let row = 0; row < rows; row++) {
        low = mix(low ^ values[band * rows + row]!);
        high = Math.imul(high ^ values[band * rows + row]!, 0x85ebca77);
        high ^= high >>> 15;
      }
      keys[2 * band] = low;
      keys[2 * band + 1] = mix(high);
    }
    return keys;
  };
}

/** The signature behind the keys: equal places of two texts estimate their Jaccard similarity. */
export function minHashSignature(bins: number, shingleWords: number): (text: Uint8Array) => Uint32Array | undefined {
  const EMPTY = 0xffffffff;
  return (text) => {
    const least = new Uint32Array(bins).fill(EMPTY);
    let found = 0;
    eachNgram(wordHashes(text), shingleWords, (low, high) => {
      const bin = Math.floor(((high >>> 0) / 2 ** 32) * bins);
      const value = low >>> 0;
      if (value < least[bin]!) {
        if (least[bin] === EMPTY) found++;
        least[bin] = value;
      }
    });
    if (found === 0) return undefined;
    if (found === bins) return least;
    const dense = least.slice();
    for (let bin = 0; bin < bins; bin++) {
      if (least[bin] !== EMPTY) continue;
      for (let attempt = 1; ; attempt++) {
        const other = (mix(Math.imul(bin + 1, 0x9e3779b1) ^ Math.imul(attempt, 0x85ebca6b)) >>> 0) % bins;
        if (least[other] === EMPTY) continue;
        dense[bin] = least[other]!;
        break;
      }
    }
    return dense;
  };
}
