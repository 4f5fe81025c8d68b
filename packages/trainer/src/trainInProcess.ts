import { fork } from "node:child_process";
import { createRequire } from "node:module";
import {
  CancelledError,
  ConfigError,
  DataError,
  DeviceError,
  EspalierError,
  FileError,
  GrowthError,
  LockError,
  ShapeError,
} from "@espalier/core";
import type { TrainHooks } from "./trainRequest.ts";
import type { TrainResult } from "./train.ts";
import type { Command, ProcessRequest, Report } from "./workerMessages.ts";

const KINDS = [CancelledError, ConfigError, DataError, DeviceError, FileError, GrowthError, LockError, ShapeError];

export interface ProcessHooks extends Omit<TrainHooks, "fileSystem"> {
  /** Called with the id of the worker process. */
  onStart?: (pid: number) => void;
}

/**
 * Runs one training in a process of its own, with one thread unless told otherwise. The run directory is the same as
 * `train`'s: whatever ends the process, calling again with the same request continues it. `signal` stops it with a
 * checkpoint; when this process dies, the worker does the same.
 *
 * @throws what `train` and `openCorpus` throw
 * @throws {DeviceError} when the process ended without an answer (killed, or a crash of native code)
 */
export async function trainInProcess(
  request: ProcessRequest,
  { progress, signal, onMetric, onEvent, onStart }: ProcessHooks = {},
): Promise<TrainResult> {
  const worker = createRequire(import.meta.url).resolve("#worker");
  const conditions = worker.endsWith(".ts") ? ["--conditions=@espalier/source"] : [];
  const child = fork(worker, [], {
    execPath: process.execPath,
    execArgv: [...conditions, "--disable-warning=ExperimentalWarning"],
    serialization: "advanced", // keeps NaN and Infinity, which JSON does not
  });
  const tell = (command: Command) => child.connected && child.send(command);
  const stop = () => void tell({ kind: "stop" });
  try {
    return await new Promise<TrainResult>((resolve, reject) => {
      let answer: (() => void) | undefined;
      child.on("message", (report: Report) => {
        if (report.kind === "progress") progress?.(report.event);
        else if (report.kind === "metric") onMetric?.(report.metric);
        else if (report.kind === "event") onEvent?.(report.event);
        else if (report.kind === "done") answer = () => resolve(report.result);
        else answer = () => reject(errorOf(report));
      });
      child.once("error", reject);
      child.once("spawn", () => onStart?.(child.pid!));
      child.once("close", (code, killedBy) => {
        if (answer) return answer();
        const how = killedBy ? `was ended by ${killedBy}` : `ended with exit code ${code}`;
        reject(
          new DeviceError(`${request.directory}: the training process ${how}, expected an answer. Run the same command to continue.`),
        );
      });
      tell({ kind: "start", request });
      if (signal?.aborted) stop();
      signal?.addEventListener("abort", stop, { once: true });
    });
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** The error as it was thrown in the worker. */
function errorOf({ name, code, message }: Extract<Report, { kind: "error" }>): Error {
  const Kind = KINDS.find((kind) => kind.name === name) ?? EspalierError;
  return code ? new Kind(message) : new Error(message);
}
