import { CancelledError, type Progress } from "@espalier/core";
import type { FileSystem } from "@espalier/core/node";
import { END_OF_TEXT } from "../../encodings.ts";
import type { Tokenizer } from "../../tokenizer.ts";
import type { CorpusFile } from "../read/files.ts";
import type { CleanOptions } from "../../clean/cleaner.ts";
import type { NearDuplicateOptions } from "../pipeline/state.ts";
import type { EarlyPass } from "./earlyPass.ts";
import type { RepeatedSpanSearch } from "../spans/findRepeated.ts";
import type { Split } from "../split.ts";
import type { Slice } from "../writers/slices.ts";

/** Documents made by a program, to be mixed into training. They are neither split nor searched for copies. */
export interface ExtraDocuments {
  name: string;
  /** Changes whenever the documents would: e.g. a hash of the generator's name, version, seed and count. */
  digest: string;
  /** Called up to twice; must give the same documents each time. */
  documents: () => Iterable<string>;
}

/**
 * A vocabulary to train, or a finished tokeniser. Pieces that occur less often than `minPieceCount` in all are left out of
 * training, where their number is too large for memory; default 1: none.
 */
export type TokenizerChoice = { vocabSize: number; minFrequency?: number; minPieceCount?: number } | Tokenizer;

/** How documents are read and which stay. */
export interface DocumentOptions {
  /** Key or column of the text in JSONL, CSV and Parquet. Default `text`. */
  textField?: string;
  /** Rules, languages, tests, masks. Default: none. */
  clean?: CleanOptions;
  /** Leaves out near copies of earlier documents. Default: only exact copies. */
  nearDuplicates?: NearDuplicateOptions;
  /**
   * Leaves out sentences of spans (three in a row) that an earlier document has, as C4 does, and documents of which too
   * little is left then. Takes a pass over the text of its own. Default: they stay.
   */
  repeatedSpans?: RepeatedSpanSearch;
  /** Records without a text: left out and counted (the default), or an error that names the first. */
  malformed?: "skip" | "refuse";
  /**
   * Text of the special token behind each document. Default `<|endoftext|>`, which export and generation expect;
   * vocabularies of others may name theirs otherwise (`</s>`).
   */
  separator?: string;
  /** Damaged files: an error (the default), or read up to the damage. */
  damaged?: "skip" | "refuse";
}

export const documentSeparator = ({ separator = END_OF_TEXT }: DocumentOptions): string => separator;

/** One call of `prepareCorpus`, its defaults filled in. */
export interface Work {
  directory: string;
  files: readonly CorpusFile[];
  /** Of the inputs' contents and the options. */
  digest: string;
  tokenizer: TokenizerChoice;
  validationShare: number;
  documents: DocumentOptions;
  separator: string;
  duplicateMemoryBytes: number;
  trainingMemoryBytes?: number;
  workers: number;
  /** The pass that encodes, where it was begun ahead; nothing the second time. */
  takeEarly?: () => EarlyPass | undefined;
  checkpointBytes: number;
  slice?: Slice;
  /** Sentences that go, once they are known; of a slice they are not: joining takes them out. */
  repeatedPath?: string;
  extra?: ExtraDocuments;
  progress: Progress;
  signal?: AbortSignal;
  fileSystem: FileSystem;
}

/** What is known once a tokeniser was trained; stored until the shards are there. */
export interface Scan {
  digest: string;
  tokenizerDigest: string;
  split: Split;
  numTrain: number;
  numValidation: number;
}

/** Throws `CancelledError` once the caller asked to stop. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError("prepareCorpus: stopped. Call it again with the same inputs to go on.");
}
