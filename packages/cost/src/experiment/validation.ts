import type { ModelConfig } from "@espalier/spec/model";
import type { MachineProfile } from "../machine/profile.ts";
import { predictStepSeconds, type StepCalibration } from "../machine/stepTime.ts";
import type { PlannedJob } from "./jobs.ts";

/** Held-back text that the runs of an experiment read, in sequences of the context length. */
export interface ValidationWork {
  /** Points of a run's validation curve, first steps included. */
  curvePoints: number;
  /** Points of a short pilot, whose curve nobody compares. */
  pilotPoints: number;
  /** Sequences of a point of the curve. */
  curveSequences: number;
  /** Sequences of the figure that a stage is judged by, after it has ended. */
  finalSequences: number;
}

export const VALIDATION: ValidationWork = { curvePoints: 24, pilotPoints: 4, curveSequences: 96, finalSequences: 768 };

/** Short pilots choose a rate at a share of the length; confirmations run in full and may become the control. */
export const isShortPilot = (job: Pick<PlannedJob, "arm" | "learningRate">): boolean => job.arm === "pilot" && "fixed" in job.learningRate;

/** Points of a job's validation curve. */
export function numCurvePoints(job: Pick<PlannedJob, "arm" | "learningRate">, work: ValidationWork): number {
  return isShortPilot(job) ? work.pilotPoints : work.curvePoints;
}

/**
 * Seconds on one thread that a job spends reading held-back text: its curve, the end of each stage, both sides of each
 * growth, and the final figure of each stage. A forward pass is a third of a step without its optimiser. A curve costs
 * the same for a short run as for a long one, so it is no share of the training.
 */
export function validationSeconds(
  job: Pick<PlannedJob, "arm" | "learningRate" | "stages" | "tokens" | "reuses">,
  work: ValidationWork,
  microBatchSize: number,
  machine: MachineProfile,
  calibration?: StepCalibration,
): number {
  const forward = (model: ModelConfig) => {
    const { parts } = predictStepSeconds(model, { microBatchSize }, machine, calibration);
    return parts.reduce((sum, { name, seconds }) => sum + (name === "optimiser" ? 0 : seconds), 0) / 3;
  };
  return job.stages.reduce((sum, { model, tokens, growth }) => {
    // One that reuses a finished run only looks at its checkpoints again.
    const points = job.reuses ? 0 : (numCurvePoints(job, work) * tokens) / job.tokens + (growth ? 2 : 1);
    return sum + ((points * work.curveSequences + work.finalSequences) / microBatchSize) * forward(model);
  }, 0);
}
