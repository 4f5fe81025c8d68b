import { Worker } from "node:worker_threads";
import { CancelledError, EspalierError, type Progress } from "@espalier/core";
import type { CorpusInput, CorpusManifest } from "@espalier/tokenizer/node";
import type { ProceduralText } from "./experiment.ts";

export interface CorpusRequest {
  inputs: readonly CorpusInput[];
  directory: string;
  vocabSize: number;
  procedural: ProceduralText;
}

/** What the thread says back. */
export type CorpusMessage =
  | { kind: "progress"; event: Parameters<Progress>[0] }
  | { kind: "done"; manifest: CorpusManifest }
  | { kind: "error"; code: string; name: string; message: string };

/**
 * Tokenises in a thread of its own, so that a native build can go on beside it and the clock keeps ticking.
 *
 * @throws what `prepareCorpus` throws
 */
export function prepareInThread(request: CorpusRequest, progress: Progress, signal: AbortSignal): Promise<CorpusManifest> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.resolve("#corpus-worker")), { workerData: request });
    const stop = () => {
      void worker.terminate();
      reject(new CancelledError("tokenising: stopped. Run the same command again to go on."));
    };
    signal.addEventListener("abort", stop, { once: true });
    worker.on("message", (message: CorpusMessage) => {
      if (message.kind === "progress") progress(message.event);
      else if (message.kind === "done") resolve(message.manifest);
      else reject(Object.assign(new EspalierError(message.message), { name: message.name, code: message.code }));
    });
    worker.once("error", reject);
    worker.once("exit", () => signal.removeEventListener("abort", stop));
  });
}
