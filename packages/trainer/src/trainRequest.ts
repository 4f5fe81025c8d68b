import type { Progress } from "@espalier/core";
import type { FileSystem } from "@espalier/core/node";
import type { Executor } from "@espalier/graph";
import type { TrainPlan } from "@espalier/spec/plan";
import type { Metric, RunEvent } from "@espalier/spec/run";
import type { TrainData } from "./data.ts";
import type { ForkRequest } from "./fork.ts";

/** What a run is made of. */
export interface TrainRequest {
  plan: TrainPlan;
  data: TrainData;
  /** New, empty, or of a run with the same plan and data, which is then continued. */
  directory: string;
  executor: Executor;
  /** Another run that this one begins as, when the directory is new. */
  fork?: ForkRequest;
  /** Name of what trains, for the record. Default: this package and its version. */
  build?: string;
}

/** How a caller watches and stops a run. */
export interface TrainHooks {
  progress?: Progress;
  /** Stops after the step under way, with a checkpoint. */
  signal?: AbortSignal;
  onMetric?: (metric: Metric) => void;
  onEvent?: (event: RunEvent) => void;
  /** For tests: fails or kills at a chosen write. */
  fileSystem?: FileSystem;
}
