import { hash } from "node:crypto";
import { statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { createPieceCounts } from "../train/pieceCounts.ts";
import { trainTokenizer } from "../train/trainTokenizer.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { createTreat, type Treated } from "./pipeline/treat.ts";
import { definitionOf, stageOf } from "./prepare/pass.ts";
import { documentSeparator } from "./prepare/work.ts";
import type { PrepareCorpusOptions } from "./prepareCorpus.ts";
import { type Batch, readBatches } from "./read/batches.ts";
import { type CorpusFile, listCorpusFiles } from "./read/files.ts";
import { sliceFiles } from "./writers/slices.ts";
import { idWidth } from "./writers/tokenStream.ts";

/** A number with the interval in which it lies with 95 % confidence, from the differences between the parts looked at. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
}

/** What `prepareCorpus` would read, take and write. */
export interface CorpusEstimate {
  numFiles: number;
  storedBytes: number;
  sample: { numFiles: number; storedBytes: number; numDocuments: number };
  /** Of documents that stay. */
  textBytes: Estimate;
  documents: Estimate;
  tokens: Estimate;
  bytesPerToken: number;
  vocabSize: number;
  /** Share of the documents read that each rule drops. Copies cannot be foreseen from a sample. */
  droppedShare: Record<string, number>;
  /** Share of the records without text. */
  malformedShare: number;
  seconds: number;
  /** Of the shards with what belongs to them, and of the formats asked for. */
  diskBytes: number;
  /** Where they would be written. */
  freeBytes: number;
}

export interface EstimateOptions extends PrepareCorpusOptions {
  /** How many other formats are written besides. */
  numFormats?: number;
  /** Bytes of text looked at. Default 24 MiB; 8 MiB where a vocabulary is to be trained. */
  sampleBytes?: number;
}

/** Of the pieces a sampled file is read in: what its compressed bytes became is known to that. */
const CHUNK_BYTES = 1 << 16;
const MAX_DRAWS = 4000;
const MIN_FILES = 32;
const GOLDEN = 0.6180339887498949;

/** What was found in one batch of a sampled file. */
interface Piece {
  storedBytes: number;
  textBytes: number;
  documents: number;
  tokens: number;
  /** How often the file was drawn, shared by its pieces. */
  weight: number;
}

/**
 * Looks at a sample of the text and says what preparing all of it would take; nothing is written. Files are drawn with
 * probability proportional to their size; of each, the beginning is read, cleaned and encoded as the run would.
 *
 * @throws {FileError} when an input is missing or a sampled one is unreadable
 */
export async function estimateCorpus(options: EstimateOptions): Promise<CorpusEstimate> {
  const { tokenizer: choice, slice, workers = 0, numFormats = 0 } = options;
  const all = await listCorpusFiles(options.inputs);
  const files = slice ? sliceFiles(all, slice) : all;
  const storedBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const budget = options.sampleBytes ?? ("encode" in choice ? 24 : 8) * 2 ** 20;

  const sample = await readSample(files, storedBytes, budget, options.textField ?? "text");
  const { tokenizer, trainSeconds } = await tokenizerOf(options, sample);
  const treat = await createTreat(stageOf(options, definitionOf(tokenizer, documentSeparator(options))));
  const timed: { seconds: number; bytes: number }[] = [];
  const pieces: Piece[] = [];
  const counts = { read: 0, malformed: 0, dropped: {} as Record<string, number> };
  for (const { batches, storedBytes: fromFile, draws } of sample.files) {
    const bytesRead = batches.reduce((sum, { bytes }) => sum + bytes.length, 0);
    for (const batch of batches) {
      const start = performance.now();
      const treated = treat(batch);
      timed.push({ seconds: (performance.now() - start) / 1000, bytes: batch.bytes.length });
      count(counts, treated);
      pieces.push({
        storedBytes: bytesRead === 0 ? fromFile : (fromFile * batch.bytes.length) / bytesRead,
        textBytes: treated.textBytes.reduce((a, b) => a + b, 0),
        documents: treated.ends.length,
        tokens: treated.output.length,
        weight: draws / batches.length,
      });
    }
  }
  const isWhole = sample.files.reduce((sum, file) => sum + file.storedBytes, 0) >= storedBytes;
  const of = (quantity: "textBytes" | "documents" | "tokens") => estimateOf(pieces, quantity, storedBytes, isWhole);
  const [textBytes, documents, tokens] = [of("textBytes"), of("documents"), of("tokens")];

  const contentBytes = timed.reduce((sum, { bytes }) => sum + bytes, 0);
  const growth = storedBytes / Math.max(1, sample.storedBytes);
  const warm = timed.length > 2 ? timed.slice(1) : timed; // the first pays for the compiler
  const treatSeconds = (warm.reduce((sum, { seconds }) => sum + seconds, 0) / Math.max(1, warm.reduce((sum, { bytes }) => sum + bytes, 0))) * contentBytes * growth;
  const readSeconds = sample.readSeconds * growth;
  const threads = Math.min(workers, availableParallelism());
  const passSeconds = threads === 0 ? readSeconds + treatSeconds : Math.max(readSeconds, treatSeconds / threads);
  const { vocabSize } = tokenizer;
  return {
    numFiles: files.length,
    storedBytes,
    sample: { numFiles: sample.files.length, storedBytes: Math.round(sample.storedBytes), numDocuments: counts.read },
    textBytes,
    documents,
    tokens,
    bytesPerToken: textBytes.value / Math.max(1, tokens.value),
    vocabSize,
    droppedShare: Object.fromEntries(Object.entries(counts.dropped).map(([rule, number]) => [rule, number / Math.max(1, counts.read)])),
    malformedShare: counts.malformed / Math.max(1, counts.malformed + counts.read),
    seconds: storedBytes * digestSecondsPerByte() + trainSeconds + passSeconds * (1 + ("encode" in choice ? 0 : 1) + (options.repeatedSpans ? 1 : 0)),
    diskBytes: tokens.value * (4 + numFormats * idWidth(vocabSize)) + documents.value * (8 + numFormats * 20),
    freeBytes: await freeBytesAt(options.directory),
  };
}

interface Sample {
  files: { batches: Batch[]; storedBytes: number; draws: number }[];
  storedBytes: number;
  readSeconds: number;
}

/** Files at places of all bytes that follow the golden ratio: spread evenly however many are drawn. */
async function readSample(files: readonly CorpusFile[], storedBytes: number, budget: number, textField: string): Promise<Sample> {
  const ends: number[] = [];
  for (const { bytes } of files) ends.push((ends.at(-1) ?? 0) + bytes);
  const found = new Map<number, { batches: Batch[]; storedBytes: number; draws: number }>();
  const perFile = Math.max(1, budget / Math.min(files.length, MIN_FILES));
  let textBytes = 0;
  const start = performance.now();
  for (let draw = 0; draw < MAX_DRAWS && textBytes < budget && found.size < files.length; draw++) {
    const place = ((draw + 0.5) * GOLDEN) % 1;
    const index = Math.max(0, ends.findIndex((end) => place * storedBytes < end));
    const known = found.get(index);
    if (known) known.draws++;
    else {
      const part = await beginningOf(files[index]!, index, Math.min(perFile, budget - textBytes), textField);
      found.set(index, { ...part, draws: 1 });
      textBytes += part.batches.reduce((sum, { bytes }) => sum + bytes.length, 0);
    }
  }
  const drawn = [...found.values()];
  return { files: drawn, storedBytes: drawn.reduce((sum, file) => sum + file.storedBytes, 0), readSeconds: (performance.now() - start) / 1000 };
}

async function beginningOf(file: CorpusFile, index: number, bytes: number, textField: string): Promise<{ batches: Batch[]; storedBytes: number }> {
  const batches: Batch[] = [];
  let storedBytes = 0;
  let size = 0;
  for await (const batch of readBatches(file, index, { textField, chunkBytes: CHUNK_BYTES, onBytes: (more) => (storedBytes += more), onDamaged: () => {} })) {
    batches.push(batch);
    size += batch.bytes.length;
    if (size >= bytes) return { batches, storedBytes };
  }
  return { batches, storedBytes: file.bytes };
}

/** The tokeniser asked for, or one trained on the sample: what it makes of a text is close to what the real one will. */
async function tokenizerOf(options: EstimateOptions, { files }: Sample): Promise<{ tokenizer: Tokenizer; trainSeconds: number }> {
  const { tokenizer: choice } = options;
  if ("encode" in choice) return { tokenizer: choice, trainSeconds: 0 };
  const treat = await createTreat(stageOf(options, undefined));
  const counts = createPieceCounts();
  const start = performance.now();
  for (const { batches } of files) {
    for (const batch of batches) {
      const { ends, output } = treat(batch);
      let from = 0;
      for (const end of ends) {
        counts.add((output as Uint8Array).subarray(from, end));
        from = end;
      }
    }
  }
  const tokenizer = trainTokenizer(counts, { ...choice, specialTokens: [documentSeparator(options)] });
  return { tokenizer, trainSeconds: (performance.now() - start) / 1000 };
}

/** Mean of what a stored byte gives over all draws, times all stored bytes. */
function estimateOf(pieces: readonly Piece[], quantity: "textBytes" | "documents" | "tokens", storedBytes: number, isWhole: boolean): Estimate {
  if (isWhole) {
    const value = pieces.reduce((sum, piece) => sum + piece[quantity], 0);
    return { value, low: value, high: value };
  }
  const usable = pieces.filter((piece) => piece.storedBytes > 0);
  const weight = usable.reduce((sum, piece) => sum + piece.weight, 0);
  const rate = (piece: Piece) => piece[quantity] / piece.storedBytes;
  const mean = usable.reduce((sum, piece) => sum + piece.weight * rate(piece), 0) / Math.max(weight, Number.MIN_VALUE);
  const variance = usable.reduce((sum, piece) => sum + (piece.weight * (rate(piece) - mean)) ** 2, 0) / Math.max(weight, Number.MIN_VALUE) ** 2;
  const margin = usable.length < 2 ? mean : 1.96 * Math.sqrt((variance * usable.length) / (usable.length - 1));
  return { value: Math.round(mean * storedBytes), low: Math.round(Math.max(0, mean - margin) * storedBytes), high: Math.round((mean + margin) * storedBytes) };
}

function count(counts: { read: number; malformed: number; dropped: Record<string, number> }, treated: Treated): void {
  counts.read += treated.numDocumentsRead;
  counts.malformed += treated.numMalformed;
  for (const [rule, number] of Object.entries(treated.dropped)) counts.dropped[rule] = (counts.dropped[rule] ?? 0) + number;
}

/** Every input is hashed before it is read. */
function digestSecondsPerByte(): number {
  const block = new Uint8Array(8 << 20);
  const start = performance.now();
  hash("sha256", block, "buffer");
  return (performance.now() - start) / 1000 / block.length;
}

async function freeBytesAt(directory: string): Promise<number> {
  for (let path = directory; ; path = dirname(path)) {
    try {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    } catch (error) {
      if (path === dirname(path)) throw error;
    }
  }
}
