import type { ProgressEvent } from "@espalier/core";
import type { Device, InstructionPath } from "@espalier/kernels";
import type { TrainPlan } from "@espalier/spec/plan";
import type { Metric, RunEvent } from "@espalier/spec/run";
import type { ForkRequest } from "./fork.ts";
import type { TrainResult } from "./train.ts";

/** A training run as data, so that another process can do it. */
export interface ProcessRequest {
  plan: TrainPlan;
  /** Directory of a prepared corpus. */
  corpus: string;
  /** Share of training windows that are the corpus's generated documents; absent: in proportion to their tokens. */
  generatedShare?: number;
  /** Run directory. */
  directory: string;
  /** See `TrainRequest`. */
  fork?: ForkRequest;
  /** Default `cpu`. */
  executor?: Device | "reference";
  /** Of `cpu`. Default 1: several runs side by side share a machine best with one thread each. */
  numThreads?: number;
  isa?: InstructionPath;
  build?: string;
}

/** From the parent. */
export type Command = { kind: "start"; request: ProcessRequest } | { kind: "stop" };

/** From the worker. */
export type Report =
  | { kind: "progress"; event: ProgressEvent }
  | { kind: "metric"; metric: Metric }
  | { kind: "event"; event: RunEvent }
  | { kind: "done"; result: TrainResult }
  | { kind: "error"; name: string; code: string; message: string };
