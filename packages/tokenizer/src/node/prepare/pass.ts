import { batchesFrom } from "../pipeline/batchesFrom.ts";
import { CorpusState, type StateRecord } from "../pipeline/state.ts";
import { startThreads, type Threads } from "../pipeline/threads.ts";
import type { StageOptions, Treated } from "../pipeline/treat.ts";
import type { Batch } from "../read/batches.ts";
import type { CorpusFile } from "../read/files.ts";
import { readRepeated, type RepeatedReader } from "../spans/repeatedFile.ts";
import type { Split } from "../split.ts";
import type { Tokenizer } from "../../tokenizer.ts";
import { type DocumentOptions, throwIfAborted, type Work } from "./work.ts";

/** State of a pass over the corpus, new or from a record. */
export function stateOf(work: Work, split: Split, record?: StateRecord): CorpusState {
  const { files, duplicateMemoryBytes, documents } = work;
  return new CorpusState(
    { files, split, duplicateMemoryBytes, refuseMalformed: documents.malformed === "refuse", ...(documents.nearDuplicates && { nearDuplicates: documents.nearDuplicates }) },
    record,
  );
}

/**
 * One pass over the text from where `state` stands: batches in order, with what becomes of each of their documents.
 * Reports bytes as stored under `task`, with tokens, documents and what was dropped.
 */
export async function* passOver(
  work: Work,
  task: string,
  state: CorpusState,
  tokenizer: StageOptions["tokenizer"],
  { numTokens = () => 0, spans }: { numTokens?: () => number; spans?: "hash" } = {},
): AsyncGenerator<{ treated: Treated; decisions: Uint8Array; lineBefore: number }> {
  const { files, documents, progress, signal, workers } = work;
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const { file, batch } = state.record.position;
  const report = (done: number) => progress({ task, done, total, unit: "bytes", detail: detailOf(state, numTokens()) });
  const onBytes = (done: number) => report(Math.max(0, Math.min(done, total - 1))); // reading runs ahead: all is done once all is treated
  const stage = stageOf(documents, tokenizer, spans);
  const fromTheStart = file === 0 && batch === 0 && work.repeatedPath === undefined;
  const early = tokenizer && fromTheStart ? work.takeEarly?.() : undefined;
  const treatAll = () => {
    const threads = threadsFor(stage, workers, files);
    const read = batchesFrom(files, { file, batch }, { ...readOptions(documents), onBytes, ...(threads.room && { room: threads.room }) });
    return threads.treatInOrder(work.repeatedPath === undefined ? read : withRepeated(read, readRepeated(work.repeatedPath)));
  };
  for await (const treated of early?.treatedInOrder(onBytes) ?? treatAll()) {
    throwIfAborted(signal);
    yield { treated, ...state.accept(treated) };
  }
  throwIfAborted(signal);
  report(total);
}

/** Threads for these files. */
export function threadsFor(stage: StageOptions, workers: number, files: readonly CorpusFile[]): Threads {
  return startThreads(stage, workers, files.every(({ kind }) => kind === "jsonl"));
}

/** How files are read. */
export const readOptions = ({ textField = "text", damaged }: DocumentOptions) => ({ textField, skipDamaged: damaged === "skip" });

/** Batches with the sentences that go from them. */
async function* withRepeated(batches: AsyncIterable<Batch>, reader: RepeatedReader): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    const repeated = await reader.ofBatch(batch.file, batch.index);
    yield repeated ? { ...batch, repeated } : batch;
  }
}

/** What is done to documents one by one. */
export function stageOf({ textField = "text", clean = {}, nearDuplicates, repeatedSpans }: DocumentOptions, tokenizer: StageOptions["tokenizer"], act: "hash" | "remove" = "remove"): StageOptions {
  return { textField, clean, ...(nearDuplicates && { minHash: nearDuplicates }), ...(repeatedSpans && { spans: { ...repeatedSpans, act } }), ...(tokenizer && { tokenizer }) };
}

/** A tokeniser as plain data that workers can be given. */
export function definitionOf(tokenizer: Tokenizer, separator: string): NonNullable<StageOptions["tokenizer"]> {
  const { name, ranks, ids, specialTokens, pattern, encoder, huggingFace } = tokenizer;
  return { name, ranks, specialTokens, ...(pattern && { pattern }), encoder: encoder === "native" ? "auto" : encoder, ...(ids && { ids }), ...(huggingFace !== undefined && { huggingFace }), separator: tokenizer.specialId(separator) };
}

function detailOf({ record }: CorpusState, numTokens: number): string {
  const { read, malformed, dropped, duplicates, nearDuplicates } = record.documents;
  const numDropped = malformed + duplicates + nearDuplicates + Object.values(dropped).reduce((a, b) => a + b, 0);
  const parts = [`${read} documents`, ...(numTokens > 0 ? [`${(numTokens / 1e6).toFixed(1)} M tokens`] : []), ...(numDropped > 0 ? [`${numDropped} dropped`] : [])];
  return parts.join(", ");
}
