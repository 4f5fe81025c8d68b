import { ConfigError, GrowthError } from "@espalier/core";
import { type Births, composeGrowth, firstBirths, growBirths } from "@espalier/growth";
import { numSteps, type Stage, tokensPerStep, type TrainPlan } from "@espalier/spec/plan";

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

/** `sum over finished steps of tokens * perToken(stage)`. */
export function sumOverStages(
  plan: TrainPlan,
  starts: readonly number[],
  step: number,
  perToken: (stage: Stage) => number,
): number {
  return plan.stages.reduce((sum, stage, i) => {
    const steps = Math.max(0, Math.min(step, starts[i + 1]!) - starts[i]!);
    return sum + steps * tokensPerStep(plan, stage) * perToken(stage);
  }, 0);
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
 * Checks what a plan promises beyond what spec checks.
 *
 * @throws {ConfigError} when stages disagree on the sequence length: token offsets are counted in windows
 */
export function expectTrainablePlan({ stages }: TrainPlan): void {
  const { seqLen } = stages[0]!.model;
  const other = stages.findIndex(({ model }) => model.seqLen !== seqLen);
  if (other < 0) return;
  throw new ConfigError(
    `train plan: stages.${other}.model.seqLen: ${stages[other]!.model.seqLen}, expected ${seqLen} as in stage 0. Keep it.`,
  );
}

/**
 * Births of the units of every stage, as the plan's growths will make them. What an operator cannot do is found here, before
 * the stages ahead of it are paid for.
 *
 * @throws {GrowthError} naming the stage, when an operator is unknown or does not fit
 */
export function plannedBirths(plan: TrainPlan): Births[] {
  const starts = stageStarts(plan);
  const births = [firstBirths(plan.stages[0]!.model)];
  for (const [i, { model, growth }] of plan.stages.entries()) {
    if (i === 0) continue;
    const before = births.at(-1)!;
    try {
      births.push(growth ? growBirths(before, composeGrowth(plan.stages[i - 1]!.model, model, growth), { step: starts[i]!, rampSteps: growth.rampSteps }) : before);
    } catch (error) {
      if (!(error instanceof GrowthError)) throw error;
      throw new GrowthError(`train plan: stages.${i}.growth: ${error.message}`, { cause: error });
    }
  }
  return births;
}
