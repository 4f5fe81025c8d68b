import type { Batch } from "../read/batches.ts";
import { addonThreads } from "./addonThreads.ts";
import { createTreat, type StageOptions, type Treated } from "./treat.ts";
import { workerThreads } from "./workerThreads.ts";

/** What treats batches beside the thread that reads and writes. How many threads never shows in the result. */
export interface Threads {
  /**
   * Batches in the order in which they came in. What one holds may be written over once the next is asked for. In the end
   * the threads are ended.
   */
  treatInOrder(batches: AsyncIterable<Batch & { damaged?: string }>): AsyncGenerator<Treated>;
  /** Memory for the lines of the next batch, where it is used again. */
  room?: (bytes: number) => Uint8Array<ArrayBuffer>;
  /** Ending again does nothing. */
  end(): Promise<void>;
}

/**
 * Threads that load what they need while their first batch is still being read. Of the addon where it can do all that is
 * asked, which is making ids of JSON lines; else workers.
 *
 * @param numThreads  with 0 everything happens on this thread
 * @param onlyLines   whether all batches are JSON lines
 */
export function startThreads(stage: StageOptions, numThreads: number, onlyLines: boolean): Threads {
  if (numThreads === 0) return thisThread(stage);
  return (onlyLines ? addonThreads(stage, numThreads) : undefined) ?? workerThreads(stage, numThreads);
}

function thisThread(stage: StageOptions): Threads {
  return {
    async *treatInOrder(batches) {
      const treat = await createTreat(stage);
      for await (const batch of batches) yield treat(batch);
    },
    async end() {},
  };
}
