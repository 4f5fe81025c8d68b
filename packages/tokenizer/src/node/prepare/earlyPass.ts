import { batchesFrom, type ReadAllOptions } from "../pipeline/batchesFrom.ts";
import type { Threads } from "../pipeline/threads.ts";
import type { Treated } from "../pipeline/treat.ts";
import type { CorpusFile } from "../read/files.ts";

/** A pass from the first document on that is under way while its inputs are still being hashed. */
export interface EarlyPass {
  /** What becomes of all batches; `onBytes` hears of the bytes that were read meanwhile, and of all that follow. */
  treatedInOrder(onBytes: ReadAllOptions["onBytes"]): AsyncGenerator<Treated>;
  /** Stops what is under way, for a pass that is not wanted after all. Once it was asked for batches, it ends itself. */
  end(): Promise<void>;
}

/** Reads and treats as many batches as threads have waiting, and goes on when they are asked for. Its errors come then, too. */
export function beginEarly(threads: Threads, files: readonly CorpusFile[], options: Omit<ReadAllOptions, "onBytes" | "room">): EarlyPass {
  let read = 0;
  let tell: ReadAllOptions["onBytes"] = () => {};
  const onBytes = (done: number) => {
    read = done;
    tell(done);
  };
  const batches = batchesFrom(files, { file: 0, batch: 0 }, { ...options, onBytes, ...(threads.room && { room: threads.room }) });
  const treated = threads.treatInOrder(batches);
  const first = treated.next();
  first.catch(() => {});
  return {
    async *treatedInOrder(onBytes) {
      tell = onBytes;
      if (read > 0) onBytes(read);
      try {
        for (let next = await first; next.done !== true; next = await treated.next()) yield next.value;
      } finally {
        await treated.return(undefined);
      }
    },
    async end() {
      await threads.end();
      await first.catch(() => {});
      await treated.return(undefined);
    },
  };
}
