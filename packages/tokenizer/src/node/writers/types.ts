import type { FileSystem } from "@espalier/core/node";

/** One document as it goes into a file: its ids, with the separator where the format wants one. */
export interface TokenDocument {
  ids: Uint32Array;
  /** `file` or `file:line`, for formats that keep it. */
  source?: string;
}

export type TokenDocuments = Iterable<TokenDocument> | AsyncIterable<TokenDocument>;

export interface WriteTokensOptions {
  /** All ids are below this; decides how many bytes an id takes. */
  vocabSize: number;
  fileSystem?: FileSystem;
}

export interface WrittenFile {
  path: string;
  bytes: number;
  sha256: string;
}
