import { join } from "node:path";
import { DataError } from "@espalier/core";
import { atomicWrite } from "@espalier/core/node";
import { writeTokenizerJson } from "../../formats/json.ts";
import type { Tokenizer } from "../../tokenizer.ts";
import type { PieceCounts } from "../../train/pieceCounts.ts";
import { trainTokenizer } from "../../train/trainTokenizer.ts";
import { CORPUS_FILES } from "../manifest.ts";
import { type StateRecord, TRAIN } from "../pipeline/state.ts";
import { type Split, splitOfFew } from "../split.ts";
import { createSpilledPieceCounts, type SpilledPieceCounts } from "../train/spilledCounts.ts";
import { passOver, stateOf } from "./pass.ts";
import type { Scan, TokenizerChoice, Work } from "./work.ts";

/** First pass over the text, where a vocabulary is to be trained: piece counts; then the vocabulary. Both are stored. */
export async function scanAndTrain(work: Work, { minPieceCount, ...options }: Exclude<TokenizerChoice, Tokenizer>): Promise<{ scan: Scan; tokenizer: Tokenizer }> {
  const { directory, trainingMemoryBytes: memoryBytes } = work;
  let counts: SpilledPieceCounts | undefined;
  const openCounts = () => (counts = createSpilledPieceCounts({ directory, ...(memoryBytes !== undefined && { memoryBytes }), ...(minPieceCount !== undefined && { minPieceCount }) }));
  try {
    return await scanAndLearn(work, openCounts, options);
  } finally {
    counts?.close(); // counting is not gone on with: a call that fails leaves none of it either
  }
}

async function scanAndLearn(work: Work, openCounts: () => SpilledPieceCounts, options: Omit<Exclude<TokenizerChoice, Tokenizer>, "minPieceCount">): Promise<{ scan: Scan; tokenizer: Tokenizer }> {
  const { directory, digest, fileSystem, extra, progress, validationShare } = work;
  let split: Split = { below: validationShare };
  let counts = openCounts();
  let record = await scanDocuments(work, counts, split);
  const other = splitOfFew(record, validationShare);
  if (other) {
    split = other;
    counts = openCounts();
    record = await scanDocuments(work, counts, split);
  }
  expectBothSides(work, record);
  for (const text of extra?.documents() ?? []) counts.add(Buffer.from(text));
  const tokenizer = trainTokenizer(counts, { ...options, specialTokens: [work.separator], progress });
  tokenizer.specialId(work.separator); // refuses a vocabulary without a separator before anything is written

  const { train, validation } = record.documents;
  const scan: Scan = { digest, tokenizerDigest: tokenizer.digest, split, numTrain: train, numValidation: validation };
  await atomicWrite(join(directory, CORPUS_FILES.tokenizer), writeTokenizerJson(tokenizer), fileSystem);
  await atomicWrite(join(directory, CORPUS_FILES.progress), `${JSON.stringify(scan)}\n`, fileSystem);
  return { scan, tokenizer };
}

async function scanDocuments(work: Work, counts: PieceCounts, split: Split): Promise<StateRecord> {
  const state = stateOf(work, split);
  for await (const { treated, decisions } of passOver(work, "read corpus", state, undefined)) {
    let start = 0;
    for (const [i, end] of treated.ends.entries()) {
      if (decisions[i] === TRAIN) counts.add((treated.output as Uint8Array).subarray(start, end));
      start = end;
    }
  }
  return state.record;
}

/** @throws {DataError} when there is no training or no validation text */
export function expectBothSides({ files, slice, documents: { textField = "text" } }: Work, { documents, malformedLines: [first] }: StateRecord): void {
  const { train, validation, malformed, read } = documents;
  if (slice || (train > 0 && validation > 0)) return; // a slice may hold one side only
  const names = files.length === 1 ? files[0]!.path : `${files.length} files`;
  const skipped = first ? ` (${malformed} malformed lines, the first ${first.source}: ${first.reason})` : "";
  if (train + validation === 0 && read > 0) {
    throw new DataError(`corpus: all ${read} documents of ${names} were dropped${skipped}: ${JSON.stringify(documents.dropped)}. Use fewer rules.`);
  }
  if (train + validation === 0) {
    throw new DataError(`corpus: no text in ${names}${skipped}, expected documents. Name files with text, or JSONL lines with a string ${JSON.stringify(textField)}.`);
  }
  throw new DataError(
    `corpus: ${train} training and ${validation} validation documents in ${names}${skipped}, expected some of both. Give more documents or another validation share.`,
  );
}
