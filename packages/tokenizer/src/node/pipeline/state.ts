import { DataError } from "@espalier/core";
import { BandFilters, HashSet } from "../../clean/duplicates.ts";
import type { MinHashOptions } from "../../clean/minHash.ts";
import type { DocumentCounts, DroppedDocument, MalformedLine } from "../manifest.ts";
import { sourceOf } from "../read/documents.ts";
import type { CorpusFile } from "../read/files.ts";
import { isValidation, type Split } from "../split.ts";
import { keepLowest, MALFORMED_SHOWN, type Treated } from "./treat.ts";

export interface NearDuplicateOptions extends MinHashOptions {
  /** Of the filters in all. Default 256 MiB. */
  memoryBytes?: number;
}

export interface StateOptions {
  files: readonly CorpusFile[];
  split: Split;
  /** Bytes that the table of exact copies may take. */
  duplicateMemoryBytes: number;
  nearDuplicates?: NearDuplicateOptions;
  /** Whether a record without text is an error. */
  refuseMalformed: boolean;
}

/** What becomes of a document that no rule dropped. */
export const TRAIN = 0;
export const VALIDATION = 1;
export const DUPLICATE = 2;
export const NEAR_DUPLICATE = 3;
/** Too little is left of it without the sentences that were seen before. */
export const GONE = 4;

/** All that a pass over a corpus knows so far, as plain data. */
export interface StateRecord {
  /** Next batch to be treated, and lines of its file before it. */
  position: { file: number; batch: number; lines: number };
  documents: DocumentCounts;
  malformedLines: MalformedLine[];
  damaged: MalformedLine[];
  samples: DroppedDocument[];
  lowest: number;
  highest: number;
  /** Tables hold what this many documents had. */
  numRemembered: number;
}

export function emptyRecord(): StateRecord {
  return {
    position: { file: 0, batch: 0, lines: 0 },
    documents: { read: 0, malformed: 0, dropped: {}, duplicates: 0, nearDuplicates: 0, masked: {}, train: 0, validation: 0 },
    malformedLines: [],
    damaged: [],
    samples: [],
    lowest: 1,
    highest: 0,
    numRemembered: 0,
  };
}

/** The part of the pipeline that sees all documents, one after the other: copies, split, counts. */
export class CorpusState {
  readonly record: StateRecord;
  readonly #options: StateOptions;
  readonly #hashes: HashSet;
  readonly #filters: BandFilters | undefined;
  readonly bands: number;

  constructor(options: StateOptions, record = emptyRecord()) {
    this.#options = options;
    this.record = record;
    this.#hashes = new HashSet(options.duplicateMemoryBytes);
    const { nearDuplicates } = options;
    this.bands = nearDuplicates ? (nearDuplicates.bands ?? 14) : 0;
    this.#filters = nearDuplicates && new BandFilters(this.bands, nearDuplicates.memoryBytes ?? 2 ** 28);
  }

  get falsePositiveRate(): number | undefined {
    return this.#filters?.falsePositiveRate;
  }

  /** Fills the tables from what an interrupted run remembered. */
  remember(hash: Uint32Array, at: number, keys: Uint32Array, keysAt: number): boolean {
    const isNew = this.#hashes.add(hash, at);
    if (isNew && this.bands > 0 && hasKeys(keys, keysAt, this.bands)) this.#filters!.add(keys, keysAt);
    return isNew;
  }

  /**
   * Decides about one document: `TRAIN`, `VALIDATION` or why not.
   *
   * @param isGone  sentences seen before were taken out, and too little is left; already counted by its rule
   */
  decide(hash: Uint32Array, at: number, keys: Uint32Array | undefined, keysAt: number, position: number, isGone = false): number {
    const { documents } = this.record;
    this.record.numRemembered++;
    if (!this.#hashes.add(hash, at)) {
      documents.duplicates++;
      return DUPLICATE;
    }
    if (keys && this.#filters && hasKeys(keys, keysAt, this.bands) && this.#filters.add(keys, keysAt)) {
      documents.nearDuplicates++;
      return NEAR_DUPLICATE;
    }
    if (isGone) return GONE;
    this.record.lowest = Math.min(this.record.lowest, position);
    this.record.highest = Math.max(this.record.highest, position);
    const validation = isValidation(this.#options.split, position, documents.train + documents.validation);
    if (validation) documents.validation++;
    else documents.train++;
    return validation ? VALIDATION : TRAIN;
  }

  /**
   * Counts a batch and decides about its documents.
   *
   * @throws {DataError} for a record without text, when those are refused
   */
  accept(treated: Treated): { decisions: Uint8Array; lineBefore: number } {
    const { record } = this;
    const { documents, position } = record;
    if (treated.file !== position.file) position.lines = 0;
    const file = this.#options.files[treated.file]!;
    const source = (number: number) => sourceOf(file, position.lines + number);
    documents.read += treated.numDocumentsRead;
    documents.malformed += treated.numMalformed;
    for (const { number, reason } of treated.malformed) {
      if (this.#options.refuseMalformed) throw new DataError(`reading ${source(number)}: ${reason}, expected a record with text. Correct it, or allow malformed records to be left out.`);
      if (record.malformedLines.length < MALFORMED_SHOWN) record.malformedLines.push({ source: source(number), reason });
    }
    if (treated.damaged !== undefined) record.damaged.push({ source: file.name, reason: treated.damaged });
    addTo(documents.dropped, treated.dropped);
    addTo(documents.masked, treated.masked);
    if (treated.repeated) documents.repeatedSentences = (documents.repeatedSentences ?? 0) + treated.repeated.numSentences;
    for (const { number, ...sample } of treated.samples) keepLowest(record.samples, { source: source(number), ...sample });

    const decisions = new Uint8Array(treated.numbers.length);
    for (let i = 0; i < decisions.length; i++) {
      const position = treated.positions[i]!;
      decisions[i] = this.decide(treated.hashes, 4 * i, treated.bandKeys, 2 * this.bands * i, position, treated.repeated?.isGone[i] === 1);
      if (decisions[i] === DUPLICATE || decisions[i] === NEAR_DUPLICATE) {
        const rule = decisions[i] === DUPLICATE ? "duplicate" : "near-duplicate";
        keepLowest(record.samples, { source: source(treated.numbers[i]!), rule, detail: "seen before", position });
      }
    }
    position.file = treated.file;
    position.batch = treated.index + 1;
    const lineBefore = position.lines;
    position.lines += treated.numLines;
    return { decisions, lineBefore };
  }
}

function addTo(sums: Record<string, number>, more: Record<string, number>): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
}

function hasKeys(keys: Uint32Array, at: number, bands: number): boolean {
  for (let i = at; i < at + 2 * bands; i++) if (keys[i] !== 0) return true;
  return false;
}
