import type { Stage } from "@espalier/spec/plan";
import type { ArmRole } from "@espalier/spec/run";
import { type Arm, type Arms, PILOT_SHARE } from "./arms.ts";

/**
 * Which pilots choose a job's learning rate: those of the final shape (scratch and one hop), of the three-stage run, or
 * of a fixed rival. Grown and control are tuned apart, over the same values.
 */
export type RateGroup = "target" | "grown" | "rival";

/** One training run with its seed. */
export interface PlannedJob {
  /** Unique, e.g. `grown/seed-0`. */
  id: string;
  arm: ArmRole;
  title: string;
  seed: number;
  stages: readonly Stage[];
  /** Peak learning rate: fixed in pilots, else the best of these pilots. */
  learningRate: { fixed: number } | { bestOf: RateGroup; times?: number };
  /** Trained already: the better of the target's confirmations is this very run. */
  reuses?: readonly string[];
  /** As in `stages`, or those of the best finished job of the sweep (equal FLOPs; `stages` is the slowest case, for time). */
  shape: "own" | "best of sweep";
  dependsOn: readonly string[];
  flops: number;
  tokens: number;
}

/** What can be dropped, in this order, and how far each goes. */
export interface Kept {
  equalTokensSeeds: number;
  sweepWidth: number;
  oneHop: boolean;
}

/** From everything to the least, one drop at a time: seeds of (a1), sweep width of (b), the one-hop arm. */
export function dropLevels(numSeeds: number): { kept: Kept; dropped: string[] }[] {
  const kept: Kept = { equalTokensSeeds: numSeeds, sweepWidth: 5, oneHop: true };
  const dropped: string[] = [];
  const levels = [{ kept: { ...kept }, dropped: [...dropped] }];
  const drop = (what: string) => {
    dropped.push(what);
    levels.push({ kept: { ...kept }, dropped: [...dropped] });
  };
  while (kept.equalTokensSeeds > 1) {
    kept.equalTokensSeeds--;
    drop(`seed ${kept.equalTokensSeeds + 1} of scratch on equal tokens`);
  }
  while (kept.sweepWidth > 3) {
    kept.sweepWidth--;
    drop(`shape ${kept.sweepWidth + 1} of the sweep over fixed shapes`);
  }
  kept.oneHop = false;
  drop("the one-hop arm");
  return levels;
}

export interface JobOptions {
  arms: Arms;
  kept: Kept;
  seeds: readonly number[];
  learningRates: readonly number[];
  tokensPerStep: number;
  /** Orders rivals by time, so that a job of unknown shape is planned as the slowest of them. */
  secondsOf(stages: readonly Stage[]): number;
}

/** Every run of the experiment. Pilots for both rate groups come first; (a2) has every seed in every case. */
export function planJobs({ arms, kept, seeds, learningRates, tokensPerStep, secondsOf }: JobOptions): PlannedJob[] {
  const { control, threeStages, oneHop, equalTokens } = arms;
  const rivals = arms.rivals.slice(0, kept.sweepWidth);
  const firstSeed = seeds[0]!;

  const pilots = (group: RateGroup, of: Arm) =>
    learningRates.map((rate): PlannedJob => {
      const stages = of.stages.map((stage) => shortened(stage, PILOT_SHARE, tokensPerStep));
      const tokens = stages.reduce((sum, stage) => sum + stage.tokens, 0);
      return {
        id: `pilot/${group}/lr-${rate}`,
        arm: "pilot",
        title: `learning rate ${rate} on ${of.title}`,
        seed: firstSeed,
        stages,
        learningRate: { fixed: rate },
        shape: "own",
        dependsOn: [],
        flops: (of.flops * tokens) / of.tokens,
        tokens,
      };
    });
  const rates = { target: pilots("target", control), grown: pilots("grown", threeStages), rival: pilots("rival", rivals[0]!) };
  // Short pilots favour low rates on deep models, and a control with a poor rate flatters growth. So the control is
  // trained in full at the pilots' choice and at twice that; the better of the two is the control's first seed.
  const confirmations = [1, 2].map(
    (times): PlannedJob => ({
      id: `pilot/target/full-${times}x`,
      arm: "pilot",
      title: `${times === 1 ? "the pilots' rate" : "twice the pilots' rate"} on ${control.title}, full length`,
      seed: firstSeed,
      stages: control.stages,
      learningRate: { bestOf: "target", times },
      shape: "own",
      dependsOn: rates.target.map((job) => job.id),
      flops: control.flops,
      tokens: control.tokens,
    }),
  );
  const chosenBy = (group: RateGroup) => (group === "target" ? confirmations : rates[group]).map((job) => job.id);

  const run = (id: string, of: Arm, seed: number, group: RateGroup, extra: Partial<PlannedJob> = {}): PlannedJob => ({
    id: `${id}/seed-${seed}`,
    arm: of.role,
    title: of.title,
    seed,
    stages: of.stages,
    learningRate: { bestOf: group },
    shape: "own",
    dependsOn: chosenBy(group),
    flops: of.flops,
    tokens: of.tokens,
    ...extra,
  });
  const sweep = rivals.map((rival) =>
    run(`fixed/L${rival.stages[0]!.model.numLayers}-C${rival.stages[0]!.model.residualDim}`, rival, firstSeed, "rival"),
  );
  const slowest = rivals.reduce((a, b) => (secondsOf(b.stages) > secondsOf(a.stages) ? b : a));
  const best = seeds.slice(1).map((seed) =>
    run("fixed/best", slowest, seed, "rival", {
      title: "best shape of the sweep, at the grown run's FLOPs",
      shape: "best of sweep",
      dependsOn: sweep.map((job) => job.id),
    }),
  );
  return [
    ...rates.target,
    ...rates.grown,
    ...rates.rival,
    ...confirmations,
    ...seeds.map((seed) => run("grown", threeStages, seed, "grown")),
    ...(kept.oneHop ? seeds.map((seed) => run("one-hop", oneHop, seed, "target")) : []),
    ...seeds.map((seed) => run("scratch-bar", control, seed, "target", seed === firstSeed ? { reuses: chosenBy("target") } : {})),
    ...seeds.slice(0, kept.equalTokensSeeds).map((seed) => run("scratch-equal-tokens", equalTokens, seed, "target")),
    ...sweep,
    ...best,
  ];
}

/** A stage at a share of its tokens, in whole steps; its ramp ends within a third of it. */
function shortened(stage: Stage, share: number, tokensPerStep: number): Stage {
  const steps = Math.max(1, Math.round((stage.tokens * share) / tokensPerStep));
  const { growth } = stage;
  return {
    ...stage,
    tokens: steps * tokensPerStep,
    ...(growth ? { growth: { ...growth, rampSteps: Math.min(growth.rampSteps, Math.max(1, Math.floor(steps / 3))) } } : {}),
  };
}
