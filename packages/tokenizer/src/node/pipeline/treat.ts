import { hash } from "node:crypto";
import { type Cleaner, type CleanOptions, createCleaner } from "../../clean/cleaner.ts";
import { languageDetector } from "../../clean/language.ts";
import { minHasher, type MinHashOptions } from "../../clean/minHash.ts";
import { createTokenizer, type Tokenizer, type TokenizerDefinition } from "../../tokenizer.ts";
import type { Batch } from "../read/batches.ts";
import { documentsOf } from "../read/documents.ts";
import { splitPosition } from "../split.ts";

/** What happens to every document by itself, on any thread. Plain data. */
export interface StageOptions {
  textField: string;
  clean: CleanOptions;
  minHash?: MinHashOptions;
  /** Absent: the texts come back instead of ids. */
  tokenizer?: TokenizerDefinition & { separator: number };
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
  /** Ids with separators, or texts, end to end. */
  output: Uint32Array | Uint8Array;
  ends: Uint32Array;
}

export type Treat = (batch: Batch & { damaged?: string }) => Treated;

export const MALFORMED_SHOWN = 10;
export const SAMPLES_SHOWN = 5;
const EXCERPT_CHARACTERS = 160;

/** Prepares a thread for its work. */
export async function createTreat({ textField, clean, minHash, tokenizer }: StageOptions): Promise<Treat> {
  const cleaner = createCleaner(clean, clean.languages && (await languageDetector()));
  const keysOf = minHash && minHasher(minHash);
  const numKeys = minHash ? 2 * (minHash.bands ?? 14) : 0;
  return treatWith(Buffer.from(textField), cleaner, keysOf, numKeys, tokenizer && { tokenizer: createTokenizer(tokenizer), separator: tokenizer.separator });
}

function treatWith(
  textField: Uint8Array,
  cleaner: Cleaner,
  keysOf: ReturnType<typeof minHasher> | undefined,
  numKeys: number,
  encoder: { tokenizer: Tokenizer; separator: number } | undefined,
): Treat {
  const separator = Uint32Array.of(encoder?.separator ?? 0);
  return (batch) => {
    const malformed = batch.malformed.slice(0, MALFORMED_SHOWN);
    let numMalformed = batch.malformed.length;
    const dropped: Record<string, number> = {};
    const samples: DroppedSample[] = [];
    const masked: Record<string, number> = {};
    const kept = { numbers: [] as number[], positions: [] as number[], textBytes: [] as number[], ends: [] as number[] };
    const hashes: Uint8Array[] = [];
    const keys: (Uint32Array | undefined)[] = [];
    const outputs: (Uint32Array | Uint8Array)[] = [];
    let end = 0;
    let numDocumentsRead = 0;

    const documents = documentsOf(batch, textField, (number, reason) => {
      numMalformed++;
      if (malformed.length < MALFORMED_SHOWN) malformed.push({ number, reason });
    });
    let next = documents.next();
    for (; !next.done; next = documents.next()) {
      const { bytes, number, splitKey } = next.value;
      numDocumentsRead++;
      const digest = hash("sha256", bytes, "buffer");
      const position = splitPosition(splitKey ?? digest.toString("hex"));
      const cleaned = cleaner.clean(bytes);
      if ("rule" in cleaned) {
        dropped[cleaned.rule] = (dropped[cleaned.rule] ?? 0) + 1;
        keepLowest(samples, { number, rule: cleaned.rule, detail: cleaned.detail, excerpt: excerptOf(bytes), position });
        continue;
      }
      for (const [kind, count] of Object.entries(cleaned.masked)) masked[kind] = (masked[kind] ?? 0) + count;
      const { text } = cleaned;
      kept.numbers.push(number);
      kept.positions.push(position);
      kept.textBytes.push(text.length);
      hashes.push(digest.subarray(0, 16));
      if (keysOf) keys.push(keysOf(text));
      if (encoder) {
        const ids = encoder.tokenizer.encode(text);
        outputs.push(ids, separator);
        end += ids.length + 1;
      } else {
        outputs.push(text);
        end += text.length;
      }
      kept.ends.push(end);
    }
    const output = encoder ? new Uint32Array(end) : new Uint8Array(end);
    let at = 0;
    for (const piece of outputs) {
      output.set(piece, at);
      at += piece.length;
    }
    const bandKeys = keysOf && new Uint32Array(numKeys * keys.length);
    for (const [i, value] of keys.entries()) if (value) bandKeys!.set(value, i * numKeys);
    return {
      file: batch.file,
      index: batch.index,
      numLines: next.value,
      numDocumentsRead,
      numMalformed,
      malformed,
      ...(batch.damaged !== undefined && { damaged: batch.damaged }),
      dropped,
      samples,
      masked,
      numbers: Uint32Array.from(kept.numbers),
      hashes: new Uint32Array(new Uint8Array(Buffer.concat(hashes)).buffer),
      positions: Float64Array.from(kept.positions),
      textBytes: Uint32Array.from(kept.textBytes),
      ...(bandKeys && { bandKeys }),
      output,
      ends: Uint32Array.from(kept.ends),
    };
  };
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

function excerptOf(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, EXCERPT_CHARACTERS * 4)).replace(/\s+/g, " ");
  return text.slice(0, EXCERPT_CHARACTERS).toWellFormed();
}
