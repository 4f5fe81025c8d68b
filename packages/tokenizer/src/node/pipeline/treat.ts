import { hash } from "node:crypto";
import { type Cleaner, type CleanOptions, createCleaner } from "../../clean/cleaner.ts";
import { languageDetector } from "../../clean/language.ts";
import { minHasher, type MinHashOptions } from "../../clean/minHash.ts";
import { REPEATED_SPANS, repeatedSpans, type RepeatedSpanOptions } from "../../clean/repeatedSpans.ts";
import { OUTPUT_SLACK } from "../../encodeCore.ts";
import { textTokenizer } from "../../formats/huggingFace/textTokenizer.ts";
import { createTokenizer, type Tokenizer, type TokenizerDefinition } from "../../tokenizer.ts";
import type { Batch } from "../read/batches.ts";
import { batchTextsReader, type ReadTexts } from "../read/batchTexts.ts";
import { splitPosition } from "../split.ts";

/** What happens to every document by itself, on any thread. Plain data. */
export interface StageOptions {
  textField: string;
  clean: CleanOptions;
  minHash?: MinHashOptions;
  /** What to do with the spans of sentences: hash them for the pass that looks for repeated ones, or take those out. */
  spans?: RepeatedSpanOptions & { act: "hash" | "remove" };
  /** Absent: the texts come back instead of ids. */
  tokenizer?: TokenizerDefinition & { separator: number; huggingFace?: string };
}

/** A document that a rule dropped, to be shown. */
export interface DroppedSample {
  number: number;
  rule: string;
  detail: string;
  excerpt: string;
  position: number;
}

/** A batch with all that does not depend on other batches done. Documents below are those that no rule dropped. */
export interface Treated {
  file: number;
  index: number;
  numLines: number;
  numDocumentsRead: number;
  numMalformed: number;
  /** The first few. */
  malformed: { number: number; reason: string }[];
  /** The file's compression is damaged from here on. */
  damaged?: string;
  dropped: Record<string, number>;
  /** Of each rule those with the lowest positions: a sample that does not depend on the order. */
  samples: DroppedSample[];
  masked: Record<string, number>;
  /** Line, row or record; of JSONL from the batch's first line on. */
  numbers: Uint32Array;
  /** 128 bits of the text's sha256 `[4 * documents]`. */
  hashes: Uint32Array;
  positions: Float64Array;
  textBytes: Uint32Array;
  /** Of `minHash` `[2 * bands * documents]`; all zero: the text is too short. */
  bandKeys?: Uint32Array;
  /** Spans of sentences: their hashes, where those of each document end, and its place among all that were read in the batch. */
  spans?: { hashes: Uint32Array; ends: Uint32Array; documents: Uint32Array };
  /** Sentences that were taken out as repeated, and 1 for each document of which too little is left `[documents]`. */
  repeated?: { numSentences: number; isGone: Uint8Array };
  /** Ids with separators, or texts, end to end. */
  output: Uint32Array | Uint8Array;
  ends: Uint32Array;
}

export type Treat = (batch: Batch & { damaged?: string }) => Treated;

export const MALFORMED_SHOWN = 10;
export const SAMPLES_SHOWN = 5;
const EXCERPT_CHARACTERS = 160;

/**
 * Prepares a thread for its work.
 *
 * @param way  `typescript` leaves out the addon's reader of lines, for tests
 */
export async function createTreat({ textField, clean, minHash, spans, tokenizer }: StageOptions, way: "auto" | "typescript" = "auto"): Promise<Treat> {
  const cleaner = keepsAll(clean) ? undefined : createCleaner(clean, clean.languages && (await languageDetector()));
  const keysOf = minHash && minHasher(minHash);
  const numKeys = minHash ? 2 * (minHash.bands ?? 14) : 0;
  const readTexts = batchTextsReader(Buffer.from(textField), way);
  return treatWith(readTexts, cleaner, keysOf, numKeys, spans && { act: spans.act, ...repeatedSpans(spans) }, tokenizer && { tokenizer: tokenizerOf(tokenizer), separator: tokenizer.separator });
}

const tokenizerOf = (definition: NonNullable<StageOptions["tokenizer"]>): Tokenizer =>
  definition.huggingFace === undefined ? createTokenizer(definition) : textTokenizer(definition.huggingFace, definition.name, definition.encoder);

/** Whether no rule can drop or change a document. */
export const keepsAll = ({ quality = [], languages, ngrams, blockedWords = [], mask }: CleanOptions): boolean =>
  quality.length === 0 && !languages && !ngrams && blockedWords.length === 0 && !mask;

function treatWith(
  readTexts: ReadTexts,
  cleaner: Cleaner | undefined,
  keysOf: ReturnType<typeof minHasher> | undefined,
  numKeys: number,
  spans: ({ act: "hash" | "remove" } & ReturnType<typeof repeatedSpans>) | undefined,
  encoder: { tokenizer: Tokenizer; separator: number } | undefined,
): Treat {
  let room = new Uint32Array(0); // for ids, of the batch at hand
  const encoded = (bytes: Uint8Array, ends: Uint32Array, { tokenizer, separator }: NonNullable<typeof encoder>) => {
    const needed = bytes.length + ends.length + OUTPUT_SLACK;
    if (room.length < needed) room = uninitialized(needed);
    const found = tokenizer.encodeDocuments(bytes, ends, { separator, out: room });
    const output = uninitialized(found.ids.length);
    output.set(found.ids);
    return { output, ends: found.ends };
  };
  return (batch) => {
    const texts = readTexts(batch);
    const numRead = texts.ends.length;
    const malformed = [...batch.malformed, ...texts.malformed].slice(0, MALFORMED_SHOWN);
    const dropped: Record<string, number> = {};
    const samples: DroppedSample[] = [];
    const masked: Record<string, number> = {};
    const hashes = new Uint8Array(HASH_BYTES * numRead);
    const positions = new Float64Array(numRead);
    const numbers = new Uint32Array(numRead);
    const documents = new Uint32Array(numRead);
    const textBytes = new Uint32Array(numRead);
    const ends = new Uint32Array(numRead);
    const bandKeys = keysOf && new Uint32Array(numKeys * numRead);
    const cleaned = new Gatherer(cleaner !== undefined || batch.repeated !== undefined);
    const spanLists: Uint32Array[] = [];
    const isGone = new Uint8Array(spans?.act === "remove" ? numRead : 0);
    const takeRepeated = rangesOf(batch.repeated);
    let numRepeated = 0;
    let kept = 0;
    for (let i = 0, start = 0; i < numRead; i++) {
      const bytes = texts.bytes.subarray(start, texts.ends[i]!);
      start = texts.ends[i]!;
      const number = texts.numbers[i]!;
      const digest = hash("sha256", bytes, "hex");
      const position = splitPosition(texts.splitKeys?.[i] ?? digest);
      const result = cleaner?.clean(bytes) ?? { text: bytes, masked: {} };
      if ("rule" in result) {
        dropped[result.rule] = (dropped[result.rule] ?? 0) + 1;
        keepLowest(samples, { number, rule: result.rule, detail: result.detail, excerpt: excerptOf(bytes), position });
        continue;
      }
      for (const [kind, count] of Object.entries(result.masked)) masked[kind] = (masked[kind] ?? 0) + count;
      let { text } = result;
      const keys = keysOf?.(text); // before sentences go: copies are found in every pass alike
      if (keys) bandKeys!.set(keys, kept * numKeys);
      if (spans?.act === "hash") spanLists.push(spans.hashes(text));
      const ranges = takeRepeated(i);
      if (ranges) {
        const left = spans!.remove(text, ranges);
        numRepeated += left.numRemoved;
        keepLowest(samples, { number, rule: REPEATED_SPANS, detail: left.detail, excerpt: excerptOf(left.example), position });
        if (!left.text) {
          isGone[kept] = 1;
          dropped[REPEATED_SPANS] = (dropped[REPEATED_SPANS] ?? 0) + 1;
        }
        text = left.text ?? new Uint8Array(0);
      }
      cleaned.add(text);
      documents[kept] = i;
      writeHash(hashes, kept * HASH_BYTES, digest);
      numbers[kept] = number;
      positions[kept] = position;
      textBytes[kept] = text.length;
      ends[kept] = cleaned.size;
      kept++;
    }
    const keptBytes = cleaned.bytes() ?? texts.bytes.subarray(0, cleaned.size);
    const given = spans?.act === "hash" ? keptBytes.subarray(0, 0) : keptBytes; // whoever looks for spans wants no texts
    const output = encoder ? encoded(keptBytes, ends.subarray(0, kept), encoder) : { output: new Uint8Array(given), ends: ends.slice(0, kept) };
    return {
      file: batch.file,
      index: batch.index,
      numLines: texts.numLines,
      numDocumentsRead: numRead,
      numMalformed: batch.malformed.length + texts.malformed.length,
      malformed: malformed.map(({ number, reason }) => ({ number, reason: typeof reason === "string" ? reason : reason() })),
      ...(batch.damaged !== undefined && { damaged: batch.damaged }),
      dropped,
      samples,
      masked,
      numbers: numbers.slice(0, kept),
      hashes: new Uint32Array(hashes.buffer, 0, (HASH_BYTES / 4) * kept).slice(),
      positions: positions.slice(0, kept),
      textBytes: textBytes.slice(0, kept),
      ...(bandKeys && { bandKeys: bandKeys.slice(0, numKeys * kept) }),
      ...(spans?.act === "hash" && { spans: { ...endToEnd(spanLists), documents: documents.slice(0, kept) } }),
      ...(spans?.act === "remove" && { repeated: { numSentences: numRepeated, isGone: isGone.slice(0, kept) } }),
      ...output,
    };
  };
}

/** Memory that is not zeroed first, of no pool: it can be given away. */
const uninitialized = (length: number): Uint32Array<ArrayBuffer> => new Uint32Array(Buffer.allocUnsafeSlow(4 * length).buffer, 0, length);

const HASH_BYTES = 16;

function writeHash(hashes: Uint8Array, at: number, hex: string): void {
  Buffer.from(hashes.buffer, at, HASH_BYTES).write(hex, "hex");
}

/** The ranges of a batch's documents, asked for in order. */
function rangesOf(repeated: Uint32Array = new Uint32Array(0)): (document: number) => number[] | undefined {
  let at = 0;
  return (document) => {
    while (at < repeated.length && repeated[at]! < document) at += 3; // of a document that a rule dropped: there is none
    const ranges: number[] = [];
    for (; repeated[at] === document; at += 3) ranges.push(repeated[at + 1]!, repeated[at + 2]!);
    return ranges.length > 0 ? ranges : undefined;
  };
}

function endToEnd(lists: readonly Uint32Array[]): { hashes: Uint32Array; ends: Uint32Array } {
  let size = 0;
  const ends = Uint32Array.from(lists, ({ length }) => (size += length));
  const hashes = new Uint32Array(size);
  for (const [i, list] of lists.entries()) hashes.set(list, ends[i]! - list.length);
  return { hashes, ends };
}

/** Texts end to end; with `collects` false they already lie so, and only their size is counted. */
class Gatherer {
  readonly #texts: Uint8Array[] | undefined;
  size = 0;

  constructor(collects: boolean) {
    this.#texts = collects ? [] : undefined;
  }

  add(text: Uint8Array): void {
    this.#texts?.push(text);
    this.size += text.length;
  }

  bytes(): Uint8Array | undefined {
    return this.#texts && Buffer.concat(this.#texts, this.size);
  }
}

/** Adds a sample unless its rule has `SAMPLES_SHOWN` with lower positions. */
export function keepLowest<T extends { rule: string; position: number }>(samples: T[], sample: T): void {
  const same = samples.filter(({ rule }) => rule === sample.rule);
  if (same.length >= SAMPLES_SHOWN) {
    const highest = same.reduce((a, b) => (b.position > a.position ? b : a));
    if (highest.position <= sample.position) return;
    samples.splice(samples.indexOf(highest), 1);
  }
  samples.push(sample);
}

export function excerptOf(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, EXCERPT_CHARACTERS * 4)).replace(/\s+/g, " ");
  return text.slice(0, EXCERPT_CHARACTERS).toWellFormed();
}
