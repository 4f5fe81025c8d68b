export { languageDetector } from "../clean/language.ts";
export { type Document, readDocuments, type ReadOptions } from "./read/documents.ts";
export { type CorpusFiles, filesOf, publicCorpora, type PublicCorpus, readCorpora } from "./download/corpora.ts";
export { type Downloaded, downloadFile, type DownloadOptions } from "./download/download.ts";
export { fetchInputs, pullCorpus, type PulledCorpus, type PullOptions } from "./download/pull.ts";
export { cl100k, encoding } from "./encoding.ts";
export { type CorpusEstimate, type Estimate, estimateCorpus, type EstimateOptions } from "./estimateCorpus.ts";
export { exportCorpus, type ExportCorpusOptions, type ExportedCorpus } from "./exportCorpus.ts";
export { type DocumentEndsFile, openDocumentEnds } from "./load/documentEnds.ts";
export { type Loader, type LoaderOptions, type LoaderSource, type LoaderState, openLoader } from "./load/loader.ts";
export type { LoadedBatch } from "./load/ring.ts";
export { openTokenFile, type OpenTokenFileOptions, type TokenFile } from "./load/tokenFile.ts";
export { loadAnyTokenizer, loadTokenizer, tokenizerNames } from "./loadTokenizer.ts";
export { type CorpusFile, type CorpusInput, listCorpusFiles } from "./read/files.ts";
export {
  type Corpus,
  type CorpusManifest,
  type CorpusOnDisk,
  type DocumentCounts,
  type DroppedDocument,
  type InputSummary,
  type MalformedLine,
  openCorpus,
  openCorpusOnDisk,
  readManifest,
  type ShardSummary,
} from "./manifest.ts";
export type { NearDuplicateOptions } from "./pipeline/state.ts";
export { type DocumentOptions, type ExtraDocuments, type TokenizerChoice } from "./prepare/work.ts";
export { prepareCorpus, type PrepareCorpusOptions } from "./prepareCorpus.ts";
export { type AppendDocument, readDocumentEnds, readShard, type Shard, shardDocuments, type ShardHeader, type ShardOrigin, writeShard } from "./shard.ts";
export type { RepeatedSpanSearch } from "./spans/findRepeated.ts";
export { documentHash, type Split, splitPosition } from "./split.ts";
export { joinSlices, type JoinSlicesOptions } from "./joinSlices.ts";
export { createSpilledPieceCounts, type SpilledPieceCounts, type SpillOptions } from "./train/spilledCounts.ts";
export { readTokens } from "./writers/readTokens.ts";
export { mergeSlices, parseSlice, type Slice, sliceFiles } from "./writers/slices.ts";
export type { TokenDocument, TokenDocuments, WriteTokensOptions, WrittenFile } from "./writers/types.ts";
export { type TokenFormat, tokenFormats, writeTokens } from "./writers/writeTokens.ts";
