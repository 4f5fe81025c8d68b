import type { TrainPlan } from "@espalier/spec/plan";
import { batchAt, findDocumentEnds, packedBatches } from "@espalier/tokenizer";
import { type LoaderSource, openDocumentEnds, openLoader } from "@espalier/tokenizer/node";
import { packingSeparator, type TrainData } from "./data.ts";
import type { MicroBatch } from "./optimizer.ts";
import { isShard } from "./packing.ts";

/** The micro-batches of a run in turn, from one token offset on. */
export interface BatchStream {
  /** The next micro-batch `[B, T]`. Its arrays may be overwritten by the next call. */
  next(): MicroBatch;
  /** Frees what reads ahead. Closing again does nothing. */
  close(): Promise<void>;
}

/**
 * The micro-batches of a plan from an offset on, each the pure function of sources, seed and offset that `batchAt` is; or
 * `packedBatches`, where the plan packs documents.
 * Where all sources are shards on disk, a thread of its own reads the next ones while the model computes, so that memory
 * holds a few batches whatever the size of the corpus; tokens in memory, or behind another reader, are taken when they are
 * due. One stream serves all stages: B and T are the same in each.
 *
 * @param tokenOffset targets trained on before, since the start of the run
 * @throws {DataError} when a source is shorter than one window, or has no documents to pack
 * @throws {ConfigError} when the plan packs and the data say no separator
 * @throws {FileError} when a shard is gone or no longer what was opened
 */
export async function openBatches(data: TrainData, plan: TrainPlan, tokenOffset: number): Promise<BatchStream> {
  const { sources, digest, tokenizerDigest } = data;
  const { seed, microBatchSize: batchSize, packing } = plan;
  const separator = packingSeparator(plan, data);
  const { seqLen } = plan.stages[0]!.model;
  const expected = { sourceDigest: digest, tokenizerDigest };
  const shards = sources.flatMap(({ name, tokens, weight }): LoaderSource[] => (isShard(tokens) ? [{ name, path: tokens.path, weight, expected }] : []));
  if (shards.length === sources.length) {
    // Whoever opened the files has checked every byte of them; where documents end only packing asks.
    if (packing) for (const { path } of shards) (await openDocumentEnds(path)).close();
    return await openLoader({ sources: shards, state: { seed, tokenOffset }, batchSize, seqLen, digest: false, ...(packing && { packing, separator: separator! }) });
  }
  const packed = separator === undefined ? undefined : packedBatches({ sources: sources.map((source) => ({ ...source, ends: findDocumentEnds(source.tokens, separator) })), seed, seqLen, separator });
  let offset = tokenOffset;
  return {
    next() {
      let batch: MicroBatch;
      if (packed) {
        batch = { tokens: new Int32Array(batchSize * seqLen), targets: new Int32Array(batchSize * seqLen) };
        packed(offset, batch);
      } else batch = batchAt({ sources, seed, tokenOffset: offset, batchSize, seqLen });
      offset += batchSize * seqLen;
      return batch;
    },
    close: () => Promise.resolve(),
  };
}
