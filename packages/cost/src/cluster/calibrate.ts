import { ConfigError } from "@espalier/core";
import { type FittedConstant, constantSpread, type StepConstants } from "./constants.ts";
import type { Cluster } from "./device.ts";
import { fittedConstants, unexplainedSpread } from "./fitted.ts";
import { expectLayout, type Layout } from "./layout.ts";
import type { ClusterModel } from "./shape.ts";
import { predictClusterStep, type ClusterStep, stepSeconds, sumParts } from "./step.ts";

/** A step that somebody timed. */
export interface MeasuredClusterStep {
  model: ClusterModel;
  layout: Layout;
  cluster: Cluster;
  seconds: number;
  /** Counts as this many measurements; 1 by default. */
  weight?: number;
}

/** Constants with what is left of their uncertainty, and of the model's own. */
export interface ClusterCalibration {
  constants: StepConstants;
  /** Covariance of the logarithms of `names`. */
  names: readonly FittedConstant[];
  covariance: readonly (readonly number[])[];
  /** Standard deviation of log(measured / predicted) that no constant explains. */
  unexplained: number;
}

const NAMES = Object.keys(constantSpread) as FittedConstant[];
/** Upper end of what is a share. */
const LIMIT: Partial<Record<FittedConstant, number>> = { matmulShare: 1, memoryShare: 1, intraShare: 1, interShare: 1, overlapShare: 0.98 };

/** Before any measurement of the cluster at hand. */
export const uncalibrated: ClusterCalibration = {
  constants: fittedConstants,
  names: NAMES,
  covariance: NAMES.map((a) => NAMES.map((b) => (a === b ? constantSpread[a] ** 2 : 0))),
  unexplained: unexplainedSpread.uncalibrated,
};

function moved(k: StepConstants, logs: readonly number[]): StepConstants {
  const out = { ...k };
  NAMES.forEach((name, i) => (out[name] = Math.min(LIMIT[name] ?? Infinity, k[name] * Math.exp(logs[i]!))));
  return out;
}

const logSeconds = (step: Pick<MeasuredClusterStep, "model" | "layout" | "cluster">, k: StepConstants) =>
  Math.log(sumParts(stepSeconds(step.model, step.layout, step.cluster, k)));

const DELTA = 0.01;

/** d log(seconds) / d log(constant), by central differences. */
function sensitivity(step: Pick<MeasuredClusterStep, "model" | "layout" | "cluster">, k: StepConstants): number[] {
  return NAMES.map((_, i) => {
    const shift = (by: number) => logSeconds(step, moved(k, NAMES.map((_, j) => (i === j ? by : 0))));
    return (shift(DELTA) - shift(-DELTA)) / (2 * DELTA);
  });
}

/** Inverse of a small symmetric positive matrix by Gauss-Jordan elimination. */
function inverse(A: readonly (readonly number[])[]): number[][] {
  const n = A.length;
  const rows = A.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let i = 0; i < n; i++) {
    const pivot = rows[i]![i]!;
    rows[i] = rows[i]!.map((v) => v / pivot);
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      const factor = rows[j]![i]!;
      rows[j] = rows[j]!.map((v, k) => v - factor * rows[i]![k]!);
    }
  }
  return rows.map((row) => row.slice(n));
}

/**
 * Constants most probable after measured steps: Gaussian prior on their logarithms (mean `prior.constants`, covariance
 * `prior.covariance`), residuals of log seconds with deviation `noise`; Gauss-Newton. `robust` holds back large residuals (Cauchy at two
 * deviations), for fits over many sources. A single step moves the constants in proportion to how uncertain each is and how much of the step is
 * its doing, which is two or three numbers in effect.
 */
export function fitConstants(steps: readonly MeasuredClusterStep[], prior: ClusterCalibration, noise: number, robust = false): ClusterCalibration {
  const precision = inverse(prior.covariance);
  const n = NAMES.length;
  let logs = new Array<number>(n).fill(0);
  let hessian: number[][] = precision;
  for (let iteration = 0; iteration < 8; iteration++) {
    const k = moved(prior.constants, logs);
    hessian = precision.map((row) => [...row]);
    const slope = logs.map((_, i) => -precision[i]!.reduce((sum, p, j) => sum + p * logs[j]!, 0));
    for (const step of steps) {
      const J = sensitivity(step, k);
      const residual = Math.log(step.seconds) - logSeconds(step, k);
      const weight = ((step.weight ?? 1) / noise ** 2) * (robust ? 1 / (1 + (residual / (2 * noise)) ** 2) : 1);
      for (let i = 0; i < n; i++) {
        slope[i]! += weight * J[i]! * residual;
        for (let j = 0; j < n; j++) hessian[i]![j]! += weight * J[i]! * J[j]!;
      }
    }
    const covariance = inverse(hessian);
    const change = covariance.map((row) => row.reduce((sum, v, j) => sum + v * slope[j]!, 0));
    logs = logs.map((v, i) => v + Math.max(-0.5, Math.min(0.5, change[i]!)));
    if (Math.max(...change.map(Math.abs)) < 1e-4) break;
  }
  return { ...prior, constants: moved(prior.constants, logs), covariance: inverse(hessian) };
}

/**
 * Calibration of a cluster from one or a few measured steps. What they have in common with a prediction (device,
 * network, software) it inherits; the interval narrows accordingly.
 *
 * @throws {ConfigError} when a step's layout does not divide, or its seconds are not above 0
 */
export function calibrateCluster(steps: readonly MeasuredClusterStep[], prior: ClusterCalibration = uncalibrated): ClusterCalibration {
  for (const { model, layout, cluster, seconds } of steps) {
    expectLayout(model, layout, cluster);
    if (!(seconds > 0)) throw new ConfigError(`calibrateCluster: seconds: is ${seconds}, expected more than 0. Give the time of one step.`);
  }
  return { ...fitConstants(steps, prior, CALIBRATION_NOISE), unexplained: unexplainedSpread.calibrated };
}

/** Deviation of a measured step from the model with the right constants: repeats differ by 1 to 2 %, shapes by more. */
export const CALIBRATION_NOISE = 0.03;

/** Standard deviation of log seconds: of the constants, seen through this step, and of the model. */
export function stepSpread(m: ClusterModel, l: Layout, c: Cluster, calibration: ClusterCalibration = uncalibrated): number {
  const J = sensitivity({ model: m, layout: l, cluster: c }, calibration.constants);
  const variance = J.reduce((sum, a, i) => sum + J.reduce((inner, b, j) => inner + a * b * calibration.covariance[i]![j]!, 0), 0);
  return Math.sqrt(Math.max(0, variance) + calibration.unexplained ** 2);
}

export interface ClusterStepEstimate extends ClusterStep {
  /** 80 % interval of the seconds. */
  interval: [number, number];
}

/** Standard deviations to either side of an 80 % interval of a normal distribution. */
export const Z80 = 1.2816;

/**
 * Seconds of a step with an 80 % interval. The coverage is measured on published runs, by `bench/publishedRuns.bench.ts`.
 *
 * @throws {ConfigError} when the layout does not divide model, batch or cluster
 */
export function estimateClusterStep(m: ClusterModel, l: Layout, c: Cluster, calibration: ClusterCalibration = uncalibrated): ClusterStepEstimate {
  const step = predictClusterStep(m, l, c, calibration.constants);
  const spread = Z80 * stepSpread(m, l, c, calibration);
  return { ...step, interval: [step.seconds * Math.exp(-spread), step.seconds * Math.exp(spread)] };
}
