import { ConfigError } from "@espalier/core";
import { numSteps, type TrainPlan } from "@espalier/spec/plan";

/** Finished steps at which each stage begins, and after the last entry the steps of the whole plan. */
export function stageStarts(plan: TrainPlan): number[] {
  const starts = [0];
  for (const stage of plan.stages) starts.push(starts.at(-1)! + numSteps(plan, stage));
  return starts;
}

/** Steps of the whole plan. */
export function totalSteps(plan: TrainPlan): number {
  return stageStarts(plan).at(-1)!;
}

/** Stages that share one schedule: the first stage or one with the rule `restart`, and all that inherit from it. */
interface Segment {
  start: number;
  end: number;
  warmupSteps: number;
  isLast: boolean;
}

function segments(plan: TrainPlan): Segment[] {
  const starts = stageStarts(plan);
  const heads = plan.stages.flatMap((stage, i) => (i === 0 || stage.learningRate === "restart" ? [i] : []));
  return heads.map((head, i) => ({
    start: starts[head]!,
    end: starts[heads[i + 1] ?? plan.stages.length]!,
    warmupSteps: head === 0 ? plan.optimizer.warmupSteps : (plan.stages[head]!.growth?.rewarmSteps ?? 0),
    isLast: i === heads.length - 1,
  }));
}

/**
 * Learning rate of every step: linear warm-up to the peak, then a cosine to `finalShare` of it at the last step.
 *
 * Stages that `inherit` share one cosine. A stage with `restart` has warm-up (its `rewarmSteps`) and a cosine of its
 * own; whatever came before it stays at the peak. A growth that inherits is followed by a linear factor 0 -> 1 over
 * `rewarmSteps`. The rate of step s (s steps finished before it) counts the step itself, so no step has rate 0.
 *
 * @returns a function of the number of finished steps
 */
export function learningRateSchedule(plan: TrainPlan): (step: number) => number {
  const { peakLearningRate, finalShare } = plan.optimizer;
  const parts = segments(plan);
  const starts = stageStarts(plan);
  const rewarms = plan.stages.flatMap(({ growth, learningRate }, i) =>
    growth && learningRate === "inherit" && growth.rewarmSteps > 0 ? [{ start: starts[i]!, steps: growth.rewarmSteps }] : [],
  );
  return (step) => {
    const { start, end, warmupSteps, isLast } = parts.findLast((part) => part.start <= step)!;
    const made = step + 1 - start;
    let share = 1;
    if (made < warmupSteps) share = made / warmupSteps;
    else if (isLast) {
      const progress = Math.min(1, (made - warmupSteps) / Math.max(1, end - start - warmupSteps));
      share = finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * progress));
    }
    for (const rewarm of rewarms) {
      if (step >= rewarm.start) share *= Math.min(1, (step + 1 - rewarm.start) / rewarm.steps);
    }
    return peakLearningRate * share;
  };
}

/**
 * Checks what a plan promises beyond its types and the order of its stages.
 *
 * @throws {ConfigError} when stages disagree on the sequence length, or a ramp does not end within its stage
 */
export function expectTrainablePlan(plan: TrainPlan): void {
  const { seqLen } = plan.stages[0]!.model;
  for (const [i, stage] of plan.stages.entries()) {
    const where = `train plan: stages.${i}`;
    if (stage.model.seqLen !== seqLen) {
      throw new ConfigError(`${where}.model.seqLen: ${stage.model.seqLen}, expected ${seqLen} as in stage 0. Keep it.`);
    }
    const steps = numSteps(plan, stage);
    if (stage.growth && stage.growth.rampSteps > steps) {
      throw new ConfigError(
        `${where}.growth.rampSteps: ${stage.growth.rampSteps}, expected at most the stage's ${steps} steps. Shorten the ramp.`,
      );
    }
  }
}
