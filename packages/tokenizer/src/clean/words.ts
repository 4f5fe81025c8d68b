import { CASELESS, codePointClass, LOWER, MARK, NUMBER, UPPER } from "../unicode/classTable.ts";

/** Lower case of code points above ASCII, found when first seen. */
const lowerCase = new Map<number, number>();

/** Words of a text, as two 32-bit hashes each. */
export interface WordHashes {
  low: Int32Array;
  high: Int32Array;
  length: number;
  /** Byte behind each word, where that was asked for. */
  ends?: Int32Array;
}

/**
 * Hashes of a text's words, in order: runs of letters, marks and digits in lower case; every Han character and kana is a
 * word of its own, because they are written without spaces. What else there is, punctuation and layout, does not count:
 * a text printed differently has the same words.
 *
 * @param text valid UTF-8
 * @param withEnds whether places are wanted as well
 */
export function wordHashes(text: Uint8Array, withEnds = false): WordHashes {
  let low = new Int32Array(256);
  let high = new Int32Array(256);
  let ends = withEnds ? new Int32Array(256) : undefined;
  let length = 0;
  let a = 0;
  let b = 0;
  let inWord = false;
  const end = (at: number) => {
    if (!inWord) return;
    if (length === low.length) {
      low = grown(low);
      high = grown(high);
      ends &&= grown(ends);
    }
    if (ends) ends[length] = at;
    low[length] = mix(a);
    high[length++] = mix(b ^ (a << 1));
    inWord = false;
  };
  for (let i = 0; i < text.length; ) {
    const start = i;
    const first = text[i]!;
    let point = first;
    if (first < 0x80) i++;
    else if (first < 0xe0) {
      point = ((first & 0x1f) << 6) | (text[i + 1]! & 0x3f);
      i += 2;
    } else if (first < 0xf0) {
      point = ((first & 0xf) << 12) | ((text[i + 1]! & 0x3f) << 6) | (text[i + 2]! & 0x3f);
      i += 3;
    } else {
      point = ((first & 7) << 18) | ((text[i + 1]! & 0x3f) << 12) | ((text[i + 2]! & 0x3f) << 6) | (text[i + 3]! & 0x3f);
      i += 4;
    }
    if (!isWordClass(codePointClass[point]!)) {
      end(start);
      continue;
    }
    const alone = point >= 0x3040 && isWrittenWithoutSpaces(point);
    if (alone) end(start);
    if (!inWord) {
      a = 0x811c9dc5 | 0;
      b = 0x2f0b4c47 | 0;
      inWord = true;
    }
    const lower = point < 0x80 ? (point >= 0x41 && point <= 0x5a ? point + 32 : point) : lowerOf(point);
    a = Math.imul(a ^ lower, 0x01000193);
    b = Math.imul(b ^ lower, 0x85ebca6b);
    b ^= b >>> 13;
    if (alone) end(i);
  }
  end(text.length);
  return { low, high, length, ...(ends && { ends }) };
}

const isWordClass = (kind: number): boolean => kind === LOWER || kind === UPPER || kind === CASELESS || kind === NUMBER || kind === MARK;

/** Kana, Han and its extensions. */
const isWrittenWithoutSpaces = (point: number): boolean =>
  point <= 0x30ff || (point >= 0x3400 && point <= 0x4dbf) || (point >= 0x4e00 && point <= 0x9fff) || (point >= 0xf900 && point <= 0xfaff) || (point >= 0x20000 && point <= 0x3ffff);

function lowerOf(point: number): number {
  let lower = lowerCase.get(point);
  if (lower === undefined) {
    lower = codePointClass[point] === UPPER ? String.fromCodePoint(point).toLowerCase().codePointAt(0)! : point;
    lowerCase.set(point, lower);
  }
  return lower;
}

/** The 32-bit finaliser of MurmurHash3. */
export function mix(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

const LOW_BASE = 0x9e3779b1 | 0;
const HIGH_BASE = 0x85ebca77 | 0;

/**
 * Calls `visit` with a 64-bit hash, as two halves, of every run of `n` words. Costs the same whatever n: the hash is a
 * polynomial over the words, of which one leaves and one enters.
 *
 * @param visit returns true to stop
 */
export function eachNgram({ low, high, length }: Pick<WordHashes, "low" | "high" | "length">, n: number, visit: (low: number, high: number) => boolean | void): void {
  let lowPower = 1;
  let highPower = 1;
  for (let i = 1; i < n; i++) {
    lowPower = Math.imul(lowPower, LOW_BASE);
    highPower = Math.imul(highPower, HIGH_BASE);
  }
  let a = 0;
  let b = 0;
  for (let i = 0; i < length; i++) {
    if (i >= n) {
      a -= Math.imul(low[i - n]!, lowPower);
      b -= Math.imul(high[i - n]!, highPower);
    }
    a = (Math.imul(a, LOW_BASE) + low[i]!) | 0;
    b = (Math.imul(b, HIGH_BASE) + high[i]!) | 0;
    if (i >= n - 1 && visit(mix(a ^ (b >>> 7)), mix(b ^ Math.imul(a, 3))) === true) return;
  }
}
