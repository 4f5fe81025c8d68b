import { eachNgram, mix, wordHashes } from "./words.ts";

/** Sentences of a text, one behind the other from its first byte to its last. */
export interface Sentences {
  /** Byte behind each, white space after it included. */
  ends: Uint32Array;
  /** Hash of the words of each, in two halves. */
  low: Int32Array;
  high: Int32Array;
  length: number;
}

const LF = 0x0a;

/**
 * Takes a text apart into sentences: they end at line ends, behind `.`, `!`, `?` and `…` where white space follows (closing
 * quotes and brackets between count to them), and behind the full stops of Chinese and Japanese. What holds no word (`wordHashes`)
 * belongs to the sentence before it. No list of abbreviations: that a cut is the same wherever the words stand matters
 * here, not that it is where a reader would put it.
 *
 * @param text valid UTF-8
 */
export function sentencesOf(text: Uint8Array): Sentences {
  const words = wordHashes(text, true);
  const ends: number[] = [];
  const low: number[] = [];
  const high: number[] = [];
  let word = 0;
  for (let at = 0; at < text.length; ) {
    at = sentenceEnd(text, at);
    let a = 0x3c6ef372 | 0;
    let b = 0x2545f491 | 0;
    const first = word;
    for (; word < words.length && words.ends![word]! <= at; word++) {
      a = Math.imul(a ^ words.low[word]!, 0x01000193);
      b = Math.imul(b ^ words.high[word]!, 0x85ebca6b);
      b ^= b >>> 13;
    }
    if (word > first) {
      ends.push(at);
      low.push(mix(a ^ (word - first)));
      high.push(mix(b ^ (a << 1)));
    } else if (ends.length > 0) ends[ends.length - 1] = at;
  }
  return { ends: Uint32Array.from(ends), low: Int32Array.from(low), high: Int32Array.from(high), length: ends.length };
}

/** Byte behind the sentence that begins at `start`, with the white space after it. */
function sentenceEnd(text: Uint8Array, start: number): number {
  for (let at = start; at < text.length; ) {
    const stop = stopAt(text, at);
    if (stop === 0) {
      at++;
      continue;
    }
    let alone = needsNoSpace(text, at);
    at += stop;
    for (let more = closing(text, at); more > 0; more = closing(text, at)) {
      alone ||= needsNoSpace(text, at);
      at += more;
    }
    if (!alone && at < text.length && !isSpace(text[at]!)) continue;
    while (at < text.length && isSpace(text[at]!)) at++;
    return at;
  }
  return text.length;
}

const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/** Whether a line end or one of the stops of Chinese and Japanese is here. */
const needsNoSpace = (text: Uint8Array, at: number): boolean => text[at] === LF || ((text[at] === 0xe3 || text[at] === 0xef) && stopAt(text, at) > 0);

/** Bytes of what ends a sentence, or 0. */
function stopAt(text: Uint8Array, at: number): number {
  const byte = text[at]!;
  if (byte === LF || byte === 0x2e || byte === 0x21 || byte === 0x3f) return 1;
  if (byte === 0xe3) return text[at + 1] === 0x80 && text[at + 2] === 0x82 ? 3 : 0; // 。
  if (byte === 0xef) return text[at + 1] === 0xbc && (text[at + 2] === 0x81 || text[at + 2] === 0x9f) ? 3 : 0; // ！？
  return byte === 0xe2 && text[at + 1] === 0x80 && text[at + 2] === 0xa6 ? 3 : 0; // …
}

/** Bytes of a closing quote or bracket, or of another stop that is no line end; or 0. */
function closing(text: Uint8Array, at: number): number {
  const byte = text[at];
  if (byte === undefined) return 0;
  if (byte === 0x22 || byte === 0x27 || byte === 0x29 || byte === 0x5d) return 1;
  if (byte === 0xc2) return text[at + 1] === 0xbb ? 2 : 0; // »
  if (byte === 0xe2 && text[at + 1] === 0x80 && (text[at + 2] === 0x99 || text[at + 2] === 0x9d)) return 3; // ’ ”
  if (byte === 0xe3 && text[at + 1] === 0x80 && (text[at + 2] === 0x8d || text[at + 2] === 0x8f)) return 3; // 」 』
  return byte === LF ? 0 : stopAt(text, at);
}

/** Hashes of every run of `n` sentences, low and high half of each in turn `[2 * runs]`. */
export function spanHashes(sentences: Sentences, n: number): Uint32Array {
  const hashes = new Uint32Array(2 * Math.max(0, sentences.length - n + 1));
  let at = 0;
  eachNgram(sentences, n, (low, high) => {
    hashes[at++] = low;
    hashes[at++] = high;
  });
  return hashes;
}
