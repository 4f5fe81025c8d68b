import { ConfigError, FileError } from "@espalier/core";
import { eachNgram, wordHashes } from "./words.ts";

const FORMAT = "espalier-ngrams";
const VERSION = 1;

/**
 * The n-gram file, by which evaluation tells the cleaning of training text what it must not contain. Text: a line of JSON,
 * `{"format":"espalier-ngrams","version":1,"n":13,"count":...,"sources":[...]}`, then a line of 16 hexadecimal digits for
 * each distinct n-gram, sorted: its 64-bit hash (`wordHashes`, `eachNgram`). Hashes, not text, so that the file itself
 * gives no test away.
 */
export interface Ngrams {
  /** Words in a row. */
  n: number;
  /** What the texts were, for people: names of test sets with their versions. */
  sources: string[];
  /** Distinct hashes, low and high half of each in turn, sorted by high, then low half `[2 * count]`. */
  hashes: Uint32Array;
}

/** Words of an n-gram unless said otherwise: the 13 of GPT-3 and the Pile. */
export const DEFAULT_NGRAM = 13;

export interface NgramOptions {
  n?: number;
  sources?: readonly string[];
  /** Called for each text that is shorter than n words, and so has no n-gram. */
  onShort?: (text: string | Uint8Array) => void;
}

/**
 * Distinct n-grams of texts. A text shorter than n words has none.
 *
 * @throws {ConfigError} when n is not a whole number from 1 to 64
 * @see Brown et al. 2020, arXiv:2005.14165, appendix C
 */
export function ngramsOf(texts: Iterable<string | Uint8Array>, { n = DEFAULT_NGRAM, sources = [], onShort }: NgramOptions = {}): Ngrams {
  if (!Number.isInteger(n) || n < 1 || n > 64) throw new ConfigError(`ngrams: n is ${n}, expected a whole number from 1 to 64. Use ${DEFAULT_NGRAM}, for example.`);
  const utf8 = new TextEncoder();
  const seen = new Map<number, Set<number>>();
  for (const text of texts) {
    const words = wordHashes(typeof text === "string" ? utf8.encode(text) : text);
    if (words.length < n) onShort?.(text);
    eachNgram(words, n, (low, high) => {
      const lows = seen.get(high >>> 0);
      if (lows) lows.add(low >>> 0);
      else seen.set(high >>> 0, new Set([low >>> 0]));
    });
  }
  const hashes: number[] = [];
  for (const high of [...seen.keys()].sort((a, b) => a - b)) {
    for (const low of [...seen.get(high)!].sort((a, b) => a - b)) hashes.push(low, high);
  }
  return { n, sources: [...sources], hashes: Uint32Array.from(hashes) };
}

/** The content of an n-gram file. */
export function writeNgrams({ n, sources, hashes }: Ngrams): string {
  const lines = [JSON.stringify({ format: FORMAT, version: VERSION, n, count: hashes.length / 2, sources })];
  for (let i = 0; i < hashes.length; i += 2) lines.push(hex(hashes[i + 1]!) + hex(hashes[i]!));
  return `${lines.join("\n")}\n`;
}

/**
 * Reads an n-gram file.
 *
 * @param where names the file in errors
 * @throws {FileError} when it is of another format, cut short or damaged
 */
export function readNgrams(text: string, where: string): Ngrams {
  const [first = "", ...lines] = text.split("\n");
  const header = parsedHeader(first);
  if (header?.format !== FORMAT || header.version !== VERSION || !(header.n! >= 1)) {
    throw new FileError(`${where}: format ${header?.format ?? "unknown"}, expected ${FORMAT} version ${VERSION}. Write it again.`);
  }
  if (lines.length !== header.count! + 1 || lines.at(-1) !== "") {
    throw new FileError(`${where}: ${lines.length - 1} n-grams, expected ${header.count}. It is cut short; write it again.`);
  }
  const hashes = new Uint32Array(header.count! * 2);
  for (let i = 0; i < header.count!; i++) {
    if (!/^[0-9a-f]{16}$/.test(lines[i]!)) throw new FileError(`${where}: line ${i + 2} is ${JSON.stringify(lines[i]!.slice(0, 40))}, expected 16 hexadecimal digits. It is damaged; write it again.`);
    hashes[2 * i + 1] = parseInt(lines[i]!.slice(0, 8), 16);
    hashes[2 * i] = parseInt(lines[i]!.slice(8), 16);
  }
  return { n: header.n!, sources: header.sources ?? [], hashes };
}

function parsedHeader(line: string): Partial<{ format: string; version: number; n: number; count: number; sources: string[] }> | null {
  try {
    return JSON.parse(line) as ReturnType<typeof parsedHeader>;
  } catch {
    return null; // said by the caller
  }
}

const hex = (half: number): string => half.toString(16).padStart(8, "0");

/**
 * A test for texts that contain any of the n-grams: the number of the first word of the first one, or -1.
 * Costs one probe of a table for each word.
 */
export function ngramFinder({ n, hashes }: Ngrams): (text: Uint8Array) => number {
  const size = 2 ** Math.ceil(Math.log2(Math.max(2, hashes.length))); // at most half full
  const lows = new Uint32Array(size);
  const highs = new Uint32Array(size);
  const used = new Uint8Array(size);
  for (let i = 0; i < hashes.length; i += 2) {
    let slot = hashes[i]! & (size - 1);
    while (used[slot]) slot = (slot + 1) & (size - 1);
    used[slot] = 1;
    lows[slot] = hashes[i]!;
    highs[slot] = hashes[i + 1]!;
  }
  return (text) => {
    let at = -1;
    let number = 0;
    eachNgram(wordHashes(text), n, (low, high) => {
      for (let slot = low & (size - 1); used[slot]; slot = (slot + 1) & (size - 1)) {
        if (lows[slot] === low >>> 0 && highs[slot] === high >>> 0) {
          at = number;
          return true;
        }
      }
      number++;
    });
    return at;
  };
}

/**
 * A test for texts that contain any of the words or phrases, compared as `wordHashes` sees them: the number of the first
 * word of the first one, or -1. One pass for each length of a phrase.
 *
 * @throws {ConfigError} when a phrase has no word or more than 64
 */
export function phraseFinder(phrases: readonly string[]): (text: Uint8Array) => number {
  const byLength = new Map<number, string[]>();
  for (const phrase of phrases) {
    const { length } = wordHashes(new TextEncoder().encode(phrase));
    if (length < 1 || length > 64) throw new ConfigError(`blocked words: ${JSON.stringify(phrase)} has ${length} words, expected 1 to 64. Correct the list.`);
    const sameLength = byLength.get(length);
    if (sameLength) sameLength.push(phrase);
    else byLength.set(length, [phrase]);
  }
  const finders = [...byLength].map(([n, sameLength]) => ngramFinder(ngramsOf(sameLength, { n })));
  return (text) => {
    let first = -1;
    for (const find of finders) {
      const at = find(text);
      if (at >= 0 && (first < 0 || at < first)) first = at;
    }
    return first;
  };
}
