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
      const [stage] = of.stages;
      const tokens = Math.max(1, Math.round((of.tokens * PILOT_SHARE) / tokensPerStep)) * tokensPerStep;
      return {
        id: `pilot/${group}/lr-${rate}`,
        arm: "pilot",
        title: `learning rate ${rate} on ${of.title}`,
        seed: firstSeed,
        stages: [{ ...stage!, tokens }],
        learningRate: { fixed: rate },
        shape: "own",
        dependsOn: [],
        flops: (of.flops * tokens) / of.tokens,
        tokens,
      };
    });
  const targetPilots = pilots("target", control);
  const rivalPilots = pilots("rival", rivals[0]!);

  const run = (id: string, of: Arm, seed: number, group: RateGroup, extra: Partial<PlannedJob> = {}): PlannedJob => ({
    id: `${id}/seed-${seed}`,
    arm: of.role,
    title: of.title,
    seed,
    stages: of.stages,
    learningRate: { bestOf: group },
    shape: "own",
    dependsOn: (group === "target" ? targetPilots : rivalPilots).map((job) => job.id),
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
    ...targetPilots,
    ...rivalPilots,
    ...seeds.map((seed) => run("grown", threeStages, seed, "target")),
    ...(kept.oneHop ? seeds.map((seed) => run("one-hop", oneHop, seed, "target")) : []),
    ...seeds.map((seed) => run("scratch-bar", control, seed, "target")),
    ...seeds.slice(0, kept.equalTokensSeeds).map((seed) => run("scratch-equal-tokens", equalTokens, seed, "target")),
    ...sweep,
    ...best,
  ];
}
