import { CancelledError, type Progress } from "@espalier/core";
import type { FileSystem } from "@espalier/core/node";
import type { Tokenizer } from "../../tokenizer.ts";
import type { CorpusFile } from "../read/files.ts";
import type { Split } from "../split.ts";
import type { DocumentCounts, MalformedLine } from "../manifest.ts";

/** Documents made by a program, to be mixed into training. They are neither split nor searched for copies. */
export interface ExtraDocuments {
  name: string;
  /** Changes whenever the documents would: e.g. a hash of the generator's name, version, seed and count. */
  digest: string;
  /** Called up to twice; must give the same documents each time. */
  documents: () => Iterable<string>;
}

/** A vocabulary to train, or a finished tokeniser. */
export type TokenizerChoice = { vocabSize: number; minFrequency?: number } | Tokenizer;

/** One call of `prepareCorpus`, its defaults filled in. */
export interface Work {
  directory: string;
  files: readonly CorpusFile[];
  /** Of the inputs' contents and the options. */
  digest: string;
  tokenizer: TokenizerChoice;
  validationShare: number;
  extra?: ExtraDocuments;
  progress: Progress;
  signal?: AbortSignal;
  fileSystem: FileSystem;
}

/** What is known once the tokeniser is there; stored until the shards are. */
export interface Scan {
  digest: string;
  tokenizerDigest: string;
  documents: DocumentCounts;
  malformedLines: MalformedLine[];
  split: Split;
}

/** Throws `CancelledError` once the caller asked to stop. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError("prepareCorpus: stopped. Call it again with the same inputs to go on.");
}
