import { ConfigError } from "@espalier/core";
import type { ReportArm, ReproductionReport } from "@espalier/spec/run";
import { type ChinchillaConstants, chinchillaLoss, epochChinchilla } from "./chinchilla.ts";
import { type GrowthEffects, growthLoss, type GrowthStage } from "./growthLaw.ts";
import { leastSquares } from "./leastSquares.ts";
import { linearLeastSquares } from "./linearLeastSquares.ts";

/** A grown run as the growth law sees it. */
interface GrownRun {
  id: string;
  stages: GrowthStage[];
  /** Measured jump of the loss over all growths, mean, nats. */
  jump: number;
  /** Validation loss at the end of each stage. */
  losses: number[];
}

export interface GrowthCalibration {
  /** Of this corpus and tokeniser; exponents are those of Epoch's law times one factor: runs of a few sizes do not determine five numbers. */
  constants: ChinchillaConstants;
  /** Fixed-size runs behind the constants and their residual, nats. */
  fixedRuns: number;
  fixedResidual: number;
  /** delta, rho and kappa; delta is measured at the growth events. */
  effects: Required<Pick<GrowthEffects, "lossJump" | "retention" | "transfer">>;
  /** 80 % intervals of rho and kappa, which few runs hardly tell apart: `correlation` of their estimates. */
  intervals: { retention: [number, number]; transfer: [number, number] };
  correlation: number;
  /** Root mean square error of the final losses of grown runs, nats: calibrated without the run's own seed and by the uncalibrated readings. */
  errors: { heldOut: number | null; lossMatching: number; naive: number };
  grownRuns: number;
  /** The same by way of growing, each fitted to its own runs alone: operators differ in what they keep and add. */
  byRole: readonly GrowthOfRole[];
  warnings: readonly string[];
}

/** What one way of growing keeps and adds. */
export interface GrowthOfRole {
  role: ReportArm["role"];
  /** Names of the operators of its growths. */
  operators: readonly string[];
  effects: Required<Pick<GrowthEffects, "lossJump" | "retention" | "transfer">>;
  intervals: GrowthCalibration["intervals"];
  /** Final losses of seeds left out, root mean square, nats; null with one seed. */
  heldOut: number | null;
  runs: number;
}

const Z80 = 1.2816;

const rms = (errors: readonly number[]) => Math.sqrt(errors.reduce((sum, e) => sum + e ** 2, 0) / errors.length);

/** Before any measurement: an operator keeps what it has and adds nothing, give or take. */
const PRIOR = { logRetention: [0, 0.5], transfer: [0, 0.75] } as const;

const FIXED_ROLES = new Set<ReportArm["role"]>(["scratch equal tokens", "scratch bar", "best fixed shape"]);
/** Fewest runs with a tuned rate; below it pilots, some of them badly tuned, help out. */
const ENOUGH_FIXED = 4;
const GROWN_ROLES = new Set<ReportArm["role"]>(["growth three stages", "growth one hop"]);

function grownRun(arm: ReportArm): GrownRun {
  return {
    id: arm.id,
    stages: arm.stages.map(({ numParameters, tokens }) => ({ parameters: numParameters, tokens })),
    jump: arm.growths.length === 0 ? 0 : arm.growths.reduce((sum, growth) => sum + growth.lossAfter - growth.lossBefore, 0) / arm.growths.length,
    losses: arm.stages.map((stage, i) => (i === arm.stages.length - 1 ? arm.finalLoss : stage.validationLoss)),
  };
}

/** Factors on both of Epoch's exponents that are tried: small runs fall faster than large ones. */
const EXPONENT_FACTORS = [1, 1.25, 1.5, 2, 2.5, 3];

interface StaticFit {
  constants: ChinchillaConstants;
  residual: number;
}

/** E, A and B by least squares at given exponents; a term that comes out negative is dropped, for a law falls with size and tokens. */
function fitAt(arms: readonly ReportArm[], factor: number): StaticFit | undefined {
  const [alpha, beta] = [epochChinchilla.alpha * factor, epochChinchilla.beta * factor];
  const y = arms.map((arm) => arm.finalLoss);
  const terms = arms.map((arm) => [1, arm.stages.at(-1)!.numParameters ** -alpha, arm.tokens ** -beta]);
  for (const kept of [[0, 1, 2], [0, 2], [0, 1]]) {
    let fit;
    try {
      fit = linearLeastSquares(terms.map((row) => kept.map((i) => row[i]!)), y);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      continue; // all of one size, or of one length
    }
    const full = [0, 0, 0];
    kept.forEach((i, at) => (full[i] = fit.coefficients[at]!));
    if (full.every((v) => v >= 0)) return { constants: { E: full[0]!, A: full[1]!, B: full[2]!, alpha, beta }, residual: fit.residualStd };
  }
  return undefined;
}

/** The static law of the runs, its exponents by the error on each run left out in turn. */
function fitConstants(arms: readonly ReportArm[]): StaticFit {
  let best: { fit: StaticFit; error: number } | undefined;
  for (const factor of EXPONENT_FACTORS) {
    const fit = fitAt(arms, factor);
    if (!fit) continue;
    const errors = arms.map((arm) => {
      const others = fitAt(arms.filter((other) => other !== arm), factor);
      return others ? chinchillaLoss(arm.stages.at(-1)!.numParameters, arm.tokens, others.constants) - arm.finalLoss : 1;
    });
    const error = rms(errors);
    if (!best || error < best.error) best = { fit, error };
  }
  if (!best) throw new ConfigError("calibrateGrowth: the fixed-size runs do not fall with size or tokens, expected at least three that do. Give a report of a longer reproduction.");
  return best.fit;
}

interface Effects { retention: number; transfer: number }

/** rho and kappa that explain the losses at stage ends after the first, with the prior as two more measurements. */
function fitEffects(runs: readonly GrownRun[], constants: ChinchillaConstants, noise: number): { effects: Effects; covariance: readonly (readonly number[])[] } {
  const cells = runs.flatMap((run) => run.losses.flatMap((loss, i) => (i === 0 ? [] : [{ run, upTo: i + 1, loss }])));
  const predicted = (index: number, [logRetention, transfer]: readonly number[]) => {
    if (index === cells.length) return ((logRetention! - PRIOR.logRetention[0]) / PRIOR.logRetention[1]) * noise;
    if (index === cells.length + 1) return ((transfer! - PRIOR.transfer[0]) / PRIOR.transfer[1]) * noise;
    const { run, upTo } = cells[index]!;
    return growthLoss(run.stages.slice(0, upTo), { constants, lossJump: run.jump, retention: Math.exp(logRetention!), transfer: Math.max(-0.95, transfer!) }).loss;
  };
  const DELTA = 1e-4;
  const fit = leastSquares(
    {
      value: predicted,
      gradient: (index, p) => p.map((_, k) => (predicted(index, p.map((v, j) => v + (j === k ? DELTA : 0))) - predicted(index, p.map((v, j) => v - (j === k ? DELTA : 0)))) / (2 * DELTA)),
    },
    [...cells.map(({ loss }, i) => [i, loss] as const), [cells.length, 0], [cells.length + 1, 0]],
    [PRIOR.logRetention[0], PRIOR.transfer[0]],
  );
  const [logRetention, transfer] = fit.parameters as [number, number];
  return { effects: { retention: Math.exp(logRetention), transfer }, covariance: fit.covariance };
}

/** 80 % intervals; retention's in its logarithm. */
function intervalsOf({ effects, covariance }: ReturnType<typeof fitEffects>): GrowthCalibration["intervals"] {
  const [sdRetention, sdTransfer] = [Math.sqrt(covariance[0]![0]!), Math.sqrt(covariance[1]![1]!)];
  return {
    retention: [effects.retention * Math.exp(-Z80 * sdRetention), effects.retention * Math.exp(Z80 * sdRetention)],
    transfer: [effects.transfer - Z80 * sdTransfer, effects.transfer + Z80 * sdTransfer],
  };
}

/**
 * The growth-aware law calibrated on own runs: constants from the fixed-size runs of a reproduction's report, delta from
 * the loss on both sides of each growth, rho and kappa from the losses at stage ends. Judged on grown runs of seeds that
 * the fit has not seen, beside the uncalibrated readings.
 *
 * @throws {ConfigError} when the report holds no grown run, or too few fixed-size runs
 */
export function calibrateGrowth(report: Pick<ReproductionReport, "arms">): GrowthCalibration {
  const single = report.arms.filter((arm) => arm.stages.length === 1 && Number.isFinite(arm.finalLoss));
  const tuned = single.filter((arm) => FIXED_ROLES.has(arm.role));
  const fixed = tuned.length >= ENOUGH_FIXED ? tuned : single.filter((arm) => FIXED_ROLES.has(arm.role) || arm.role === "pilot");
  const grownArms = report.arms.filter((arm) => GROWN_ROLES.has(arm.role) && arm.stages.length > 1);
  if (grownArms.length === 0) throw new ConfigError(`calibrateGrowth: arms: ${report.arms.length} without a grown one, expected at least one. Give the report.json of a finished reproduction.`);
  if (fixed.length < ENOUGH_FIXED) throw new ConfigError(`calibrateGrowth: arms: ${fixed.length} of fixed size, expected at least four of different sizes or lengths. Give the report.json of a finished reproduction.`);
  const { constants, residual } = fitConstants(fixed);
  const runs = grownArms.map(grownRun);
  const noise = Math.max(residual, 0.005);
  const { effects, covariance } = fitEffects(runs, constants, noise);
  const final = (run: GrownRun, e: Effects) => growthLoss(run.stages, { constants, lossJump: run.jump, ...e }).loss - run.losses.at(-1)!;
  /** Misses of the final losses of each seed by a fit to the other seeds. */
  const leftOut = (arms: readonly ReportArm[]): number[] | null => {
    const own = arms.map(grownRun);
    const seeds = [...new Set(arms.map((arm) => arm.seed))];
    if (seeds.length < 2) return null;
    return seeds.flatMap((seed) => {
      const others = fitEffects(own.filter((_, i) => arms[i]!.seed !== seed), constants, noise).effects;
      return own.filter((_, i) => arms[i]!.seed === seed).map((run) => final(run, others));
    });
  };
  const missed = leftOut(grownArms);
  const meanJump = (list: readonly GrownRun[]) => list.reduce((sum, run) => sum + run.jump, 0) / list.length;
  const byRole = [...GROWN_ROLES].flatMap((role): GrowthOfRole[] => {
    const arms = grownArms.filter((arm) => arm.role === role);
    if (arms.length === 0) return [];
    const own = arms.map(grownRun);
    const fit = fitEffects(own, constants, noise);
    const misses = leftOut(arms);
    const operators = [...new Set(arms.flatMap((arm) => arm.growths.flatMap((growth) => Object.values(growth.operators).map(String))))];
    return [{ role, operators, effects: { lossJump: meanJump(own), ...fit.effects }, intervals: intervalsOf(fit), heldOut: misses && rms(misses), runs: own.length }];
  });
  const [sdRetention, sdTransfer] = [Math.sqrt(covariance[0]![0]!), Math.sqrt(covariance[1]![1]!)];
  const sizes = new Set(fixed.map((arm) => arm.stages[0]!.numParameters)).size;
  return {
    constants,
    fixedRuns: fixed.length,
    fixedResidual: residual,
    effects: { lossJump: meanJump(runs), ...effects },
    intervals: intervalsOf({ effects, covariance }),
    correlation: covariance[0]![1]! / (sdRetention * sdTransfer),
    errors: {
      heldOut: missed && rms(missed),
      lossMatching: rms(runs.map((run) => final(run, { retention: 1, transfer: 0 }))),
      naive: rms(runs.map((run) => chinchillaLoss(run.stages.at(-1)!.parameters, run.stages.reduce((sum, stage) => sum + stage.tokens, 0), constants) - run.losses.at(-1)!)),
    },
    grownRuns: runs.length,
    byRole,
    warnings: [
      ...(sizes < 3 ? [`the fixed-size runs have ${sizes} size${sizes === 1 ? "" : "s"}: A is hardly determined`] : []),
      ...(missed === null ? ["one seed: nothing was held out"] : []),
      ...(residual > 0.03 ? [`the static law misses its own runs by ${residual.toFixed(3)} nats`] : []),
    ],
  };
}
