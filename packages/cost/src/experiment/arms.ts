import { type ModelConfig, trainingFlopsPerToken } from "@espalier/spec/model";
import type { GrowthStep, Stage } from "@espalier/spec/plan";
import type { ArmRole } from "@espalier/spec/run";
import { numBlockParameters, rivalModels, rungModel, type Rung, stageModels, type TextShape } from "./ladder.ts";

/** Tokens of the paper's three stages as shares of all: 245.37, 39.64, 26.54 of 311.55 billion (Table 1). */
const paperTokenShares: readonly [number, number, number] = [0.788, 0.127, 0.085];
/** Last-stage share of FLOPs below which tokens are moved to it, and the share it then gets. */
export const LAST_STAGE = { least: 0.25, wanted: 0.3 } as const;
/** FLOPs of the control over the three-stage run's (bar a2). */
const CONTROL_OVER_THREE_STAGES = 1.3;
/** Small model's share of the one-hop run's FLOPs: 50 to 60 % was best in the trial. */
const ONE_HOP_SMALL_SHARE = 0.55;
/** Pilots run this share of the full length. */
export const PILOT_SHARE = 0.25;

/**
 * FLOPs of the control over the one-hop run's: 1.4 up to 1.5 tokens per target parameter, 1.2 from 3 on, linear in the
 * logarithm between: the saving shrinks as the control is better trained.
 */
export function controlOverOneHop(tokensPerParameter: number): number {
  const share = Math.log(tokensPerParameter / 1.5) / Math.log(3 / 1.5);
  return 1.4 - 0.2 * Math.min(1, Math.max(0, share));
}

/** One training run of the experiment before seeds and rates. */
export interface Arm {
  role: ArmRole;
  title: string;
  stages: readonly Stage[];
  flops: number;
  tokens: number;
}

/** Sizes and tokens of every arm for one target. */
export interface Arms {
  /** Final shape from scratch at `control.flops`: the bar of both growth arms. */
  control: Arm;
  threeStages: Arm;
  oneHop: Arm;
  /** Final shape from scratch on the three-stage run's tokens. */
  equalTokens: Arm;
  /** Fixed shapes at the three-stage run's FLOPs, most promising first. */
  rivals: readonly Arm[];
  /** Control FLOPs over those of the growth arms. */
  factors: { threeStages: number; oneHop: number };
  lastStageFlopsShare: number;
}

export interface ArmOptions {
  target: Rung;
  text: TextShape;
  /** Tokens of one optimiser step; every stage is a whole number of steps. */
  tokensPerStep: number;
  /** Of the control, over parameters in blocks. */
  tokensPerParameter: number;
  oneHopOperator: "zeroDepth" | "stack";
  seed: number;
}

function wholeSteps(tokens: number, tokensPerStep: number): number {
  return Math.max(1, Math.round(tokens / tokensPerStep)) * tokensPerStep;
}

/** For growth arms: rounded down, so that the control has at least s times their FLOPs. */
function stepsWithin(tokens: number, tokensPerStep: number): number {
  return Math.max(1, Math.floor(tokens / tokensPerStep)) * tokensPerStep;
}

function arm(role: ArmRole, title: string, stages: readonly Stage[]): Arm {
  return {
    role,
    title,
    stages,
    flops: stages.reduce((sum, { model, tokens }) => sum + trainingFlopsPerToken(model) * tokens, 0),
    tokens: stages.reduce((sum, { tokens }) => sum + tokens, 0),
  };
}

/** Axes that differ, each with the operator. */
function operators(from: ModelConfig, to: ModelConfig, operator: string): GrowthStep["operators"] {
  return {
    ...(from.residualDim === to.residualDim ? {} : { residual: operator }),
    ...(from.ffnDim === to.ffnDim ? {} : { ffn: operator }),
    ...(from.numKvHeads === to.numKvHeads && from.groupSize === to.groupSize ? {} : { head: operator }),
    ...(from.numLayers === to.numLayers ? {} : { depth: operator }),
  };
}

/** A stage of one fixed shape, as many whole steps as the FLOPs pay for. */
function single(role: ArmRole, title: string, name: string, model: ModelConfig, tokens: number, tokensPerStep: number): Arm {
  return arm(role, title, [{ name, model, tokens: wholeSteps(tokens, tokensPerStep), learningRate: "inherit" }]);
}

const describe = (model: ModelConfig) => `L${model.numLayers} C${model.residualDim}`;

/**
 * Shares of tokens over three stages: the paper's, unless the last stage would get less than a quarter of the FLOPs;
 * then it gets 30 % of them and the others keep their ratio.
 */
export function stageShares(models: readonly ModelConfig[], shares: readonly number[] = paperTokenShares): number[] {
  const cost = models.map(trainingFlopsPerToken);
  const flops = shares.map((share, i) => share * cost[i]!);
  const total = flops.reduce((a, b) => a + b, 0);
  if (flops.at(-1)! / total >= LAST_STAGE.least) return [...shares];
  const early = total - flops.at(-1)!;
  const lastFlops = (early * LAST_STAGE.wanted) / (1 - LAST_STAGE.wanted);
  const raw = [...shares.slice(0, -1), lastFlops / cost.at(-1)!];
  const sum = raw.reduce((a, b) => a + b, 0);
  return raw.map((share) => share / sum);
}

/** Sizes, tokens and growth of every arm, all from the control's tokens per target parameter. */
export function arms({ target, text, tokensPerStep, tokensPerParameter, oneHopOperator, seed }: ArmOptions): Arms {
  const final = rungModel(target, text);
  const control = single(
    "scratch bar",
    `${describe(final)} from scratch, its own finished schedule`,
    "scratch",
    final,
    tokensPerParameter * numBlockParameters(final),
    tokensPerStep,
  );
  const factors = { threeStages: CONTROL_OVER_THREE_STAGES, oneHop: controlOverOneHop(tokensPerParameter) };

  const models = stageModels(target, text);
  const shares = stageShares(models);
  const perToken = models.reduce((sum, model, i) => sum + shares[i]! * trainingFlopsPerToken(model), 0);
  const grownTokens = control.flops / factors.threeStages / perToken;
  const threeStages = arm(
    "growth three stages",
    `${models.map(describe).join(" → ")}, masked growth`,
    models.map((model, i): Stage => {
      const tokens = stepsWithin(shares[i]! * grownTokens, tokensPerStep);
      const base = { name: `stage-${i + 1}`, model, tokens, learningRate: "inherit" as const };
      if (i === 0) return base;
      // The trial ramped over 100 of 319 and 60 of 214 steps: about a third of the stage.
      const rampSteps = Math.max(1, Math.min(100, Math.round(tokens / tokensPerStep / 3)));
      return { ...base, growth: { operators: operators(models[i - 1]!, model, "msg"), rampSteps, rewarmSteps: 0, seed: seed + i } };
    }),
  );

  const small = rungModel({ ...target, numLayers: target.numLayers / 4 }, text);
  const oneHopFlops = control.flops / factors.oneHop;
  const lastTokens = stepsWithin(((1 - ONE_HOP_SMALL_SHARE) * oneHopFlops) / trainingFlopsPerToken(final), tokensPerStep);
  const oneHop = arm("growth one hop", `${describe(small)} → ${describe(final)}, ${oneHopOperator}, restarted cosine`, [
    {
      name: "small",
      model: small,
      tokens: stepsWithin((ONE_HOP_SMALL_SHARE * oneHopFlops) / trainingFlopsPerToken(small), tokensPerStep),
      learningRate: "inherit",
    },
    {
      name: "grown",
      model: final,
      tokens: lastTokens,
      learningRate: "restart",
      growth: {
        operators: { depth: oneHopOperator },
        rampSteps: 0,
        // 40 steps in the trial, where the stage had about 560: never more than a tenth.
        rewarmSteps: Math.max(1, Math.min(40, Math.round(lastTokens / tokensPerStep / 10))),
        seed: seed + 1,
      },
    },
  ]);

  const equalTokens = single(
    "scratch equal tokens",
    `${describe(final)} from scratch on the grown run's tokens`,
    "scratch",
    final,
    threeStages.tokens,
    tokensPerStep,
  );
  const rivals = rivalModels(target, text).map((model) =>
    single(
      "best fixed shape",
      `${describe(model)} throughout, at the grown run's FLOPs`,
      "fixed",
      model,
      threeStages.flops / trainingFlopsPerToken(model),
      tokensPerStep,
    ),
  );
  const lastStage = threeStages.stages.at(-1)!;
  return {
    control,
    threeStages,
    oneHop,
    equalTokens,
    rivals,
    factors,
    lastStageFlopsShare: (trainingFlopsPerToken(lastStage.model) * lastStage.tokens) / threeStages.flops,
  };
}
