import type { TrainPlan } from "@espalier/spec/plan";
import { batchAt } from "@espalier/tokenizer";
import { type LoaderSource, openLoader, type TokenFile } from "@espalier/tokenizer/node";
import type { TrainData } from "./data.ts";
import type { MicroBatch } from "./optimizer.ts";

/** The micro-batches of a run in turn, from one token offset on. */
export interface BatchStream {
  /** The next micro-batch `[B, T]`. Its arrays may be overwritten by the next call. */
  next(): MicroBatch;
  /** Frees what reads ahead. Closing again does nothing. */
  close(): Promise<void>;
}

/**
 * The micro-batches of a plan from an offset on, each the pure function of sources, seed and offset that `batchAt` is.
 * Where all sources are shards on disk, a thread of its own reads the next ones while the model computes, so that memory
 * holds a few batches whatever the size of the corpus; tokens in memory, or behind another reader, are taken when they are
 * due. One stream serves all stages: B and T are the same in each.
 *
 * @param tokenOffset targets trained on before, since the start of the run
 * @throws {DataError} when a source is shorter than one window
 * @throws {FileError} when a shard is gone or no longer what was opened
 */
export async function openBatches({ sources, digest, tokenizerDigest }: TrainData, plan: TrainPlan, tokenOffset: number): Promise<BatchStream> {
  const { seed, microBatchSize: batchSize } = plan;
  const { seqLen } = plan.stages[0]!.model;
  const expected = { sourceDigest: digest, tokenizerDigest };
  const shards = sources.flatMap(({ name, tokens, weight }): LoaderSource[] => (isFile(tokens) ? [{ name, path: tokens.path, weight, expected }] : []));
  if (shards.length === sources.length) {
    // Whoever opened the files has checked every byte.
    return await openLoader({ sources: shards, state: { seed, tokenOffset }, batchSize, seqLen, digest: false });
  }
  let offset = tokenOffset;
  return {
    next() {
      const batch = batchAt({ sources, seed, tokenOffset: offset, batchSize, seqLen });
      offset += batchSize * seqLen;
      return batch;
    },
    close: () => Promise.resolve(),
  };
}

const isFile = (tokens: TrainData["sources"][number]["tokens"]): tokens is TokenFile => "path" in tokens && "header" in tokens;
