/** The process of one training run: takes a request, reports as it goes, stops with a checkpoint when told to. */

import { EspalierError, LockError } from "@espalier/core";
import { type Executor, referenceExecutor } from "@espalier/graph";
import { cpuExecutor, deviceExecutor } from "@espalier/kernels";
import { openCorpusOnDisk } from "@espalier/tokenizer/node";
import { corpusData } from "./data.ts";
import { train, type TrainResult } from "./train.ts";
import type { Command, ProcessRequest, Report } from "./workerMessages.ts";

const stop = new AbortController();
/** Progress lines a second at most: a step may take a millisecond. */
const PROGRESS_MS = 100;
/** A parent that was killed leaves a worker that writes its last checkpoint, still holding the directory. */
const PREDECESSOR_SECONDS = 15;

function send(report: Report): void {
  if (process.connected) process.send!(report);
}

/** Trains; a predecessor in the directory is waited for as long as it may take to stop. */
async function runAfterPredecessor(request: ProcessRequest): Promise<TrainResult> {
  for (const start = performance.now(); ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    try {
      return await run(request);
    } catch (error) {
      const waited = performance.now() - start > 1000 * PREDECESSOR_SECONDS;
      if (!(error instanceof LockError) || waited || stop.signal.aborted) throw error;
    }
  }
}

function executorOf({ executor = "cpu", numThreads = 1, isa, plan }: ProcessRequest): Executor {
  if (executor === "reference") return referenceExecutor();
  if (executor === "cpu") return cpuExecutor({ numThreads, isa });
  return deviceExecutor({ device: executor, precision: plan.precision });
}

async function run(request: ProcessRequest): Promise<TrainResult> {
  const { plan, corpus, generatedShare, directory, build, fork } = request;
  let reported = 0;
  const tokens = await openCorpusOnDisk(corpus);
  return train(
    {
      plan,
      data: corpusData(tokens, generatedShare),
      directory,
      executor: executorOf(request),
      build,
      ...(fork && { fork }),
    },
    {
      signal: stop.signal,
      progress: (event) => {
        const now = performance.now();
        if (now - reported < PROGRESS_MS && event.done !== event.total) return;
        reported = now;
        send({ kind: "progress", event });
      },
      onMetric: (metric) => send({ kind: "metric", metric }),
      onEvent: (event) => send({ kind: "event", event }),
    },
  ).finally(() => tokens.close());
}

process.on("message", (command: Command) => {
  if (command.kind === "stop") return stop.abort();
  runAfterPredecessor(command.request)
    .then((result) => send({ kind: "done", result }))
    .catch((error: Error) => {
      const code = error instanceof EspalierError ? error.code : "";
      send({ kind: "error", name: error.name, code, message: code ? error.message : (error.stack ?? error.message) });
      process.exitCode = 1;
    })
    .finally(() => process.connected && process.disconnect());
});
// Ctrl-C reaches every process of a terminal; the parent decides, and its end is seen below.
process.on("SIGINT", () => {});
process.on("disconnect", () => stop.abort());
