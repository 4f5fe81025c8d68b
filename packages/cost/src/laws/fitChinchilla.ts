import { random } from "@espalier/core";
import type { ChinchillaConstants } from "./chinchilla.ts";
import { lbfgs, type Objective } from "./lbfgs.ts";

/** A trained model: parameters, tokens, final loss in nats per token. */
export interface ScalingPoint {
  parameters: number;
  tokens: number;
  loss: number;
}

export interface ChinchillaFit {
  constants: ChinchillaConstants;
  /** Sum of Huber losses at the optimum. */
  objective: number;
  /** 80 % bootstrap intervals of each constant. */
  intervals: Record<keyof ChinchillaConstants, [number, number]>;
  /** 80 % interval of the predicted loss, over the same bootstrap. */
  predict(parameters: number, tokens: number): { loss: number; interval: [number, number]; warning?: string };
}

/** Starts in (log A, log B, log E, alpha, beta): a coarser grid than the original's, from which the same optimum is reached. */
function starts(): number[][] {
  const grid: number[][] = [];
  for (const a of [0, 10, 20]) for (const b of [0, 10, 20]) for (const e of [-0.5, 0.5]) for (const exponent of [0.2, 0.5, 1]) grid.push([a, b, e, exponent, exponent]);
  return grid;
}

/**
 * `sum_i Huber_delta(LSE(a - alpha log N_i, b - beta log D_i, e) - log L_i)` and its gradient. The sum, not the mean: a
 * mean shrinks the gradient, and the original fit stopped too early by it.
 */
function objectiveOf(points: readonly ScalingPoint[], weights: readonly number[], delta: number): Objective {
  const logs = points.map(({ parameters, tokens, loss }) => [Math.log(parameters), Math.log(tokens), Math.log(loss)] as const);
  return ([a, b, e, alpha, beta]) => {
    let value = 0;
    const gradient = [0, 0, 0, 0, 0];
    logs.forEach(([N, D, L], i) => {
      const weight = weights[i]!;
      if (weight === 0) return;
      const terms = [a! - alpha! * N, b! - beta! * D, e!];
      const top = Math.max(...terms);
      const parts = terms.map((term) => Math.exp(term - top));
      const sum = parts[0]! + parts[1]! + parts[2]!;
      const residual = top + Math.log(sum) - L;
      const size = Math.abs(residual);
      value += weight * (size <= delta ? residual ** 2 / 2 : delta * (size - delta / 2));
      const slope = weight * Math.max(-delta, Math.min(delta, residual));
      const [p, q, r] = parts.map((part) => part / sum) as [number, number, number];
      gradient[0]! += slope * p;
      gradient[1]! += slope * q;
      gradient[2]! += slope * r;
      gradient[3]! -= slope * p * N;
      gradient[4]! -= slope * q * D;
    });
    return { value, gradient };
  };
}

const constantsOf = ([a, b, e, alpha, beta]: readonly number[]): ChinchillaConstants => ({ A: Math.exp(a!), B: Math.exp(b!), E: Math.exp(e!), alpha: alpha!, beta: beta! });
const lossOf = (c: ChinchillaConstants, N: number, D: number) => c.E + c.A / N ** c.alpha + c.B / D ** c.beta;
const quantiles = (values: readonly number[]): [number, number] => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return [at(0.1), at(0.9)];
};

/**
 * Chinchilla's law fitted to own runs as Hoffmann et al. did it, with the repair of Besiroglu et al.: Huber loss on log
 * loss, log-sum-exp, L-BFGS from a grid; intervals by a bootstrap over runs.
 *
 * @throws {RangeError} with fewer than 8 runs, or runs of fewer than 3 sizes or 3 token counts: five constants would not be determined
 */
export function fitChinchilla(points: readonly ScalingPoint[], options: { delta?: number; bootstrap?: number; seed?: number } = {}): ChinchillaFit {
  const { delta = 1e-3, bootstrap = 200, seed = 0 } = options;
  const distinct = (key: "parameters" | "tokens") => new Set(points.map((point) => point[key])).size;
  if (points.length < 8 || distinct("parameters") < 3 || distinct("tokens") < 3) {
    throw new RangeError(
      `fitChinchilla: ${points.length} runs of ${distinct("parameters")} sizes and ${distinct("tokens")} token counts, expected at least 8 of 3 and 3. Train at more sizes and lengths.`,
    );
  }
  const fit = (weights: readonly number[], from: readonly number[][]) =>
    from
      .map((start) => lbfgs(objectiveOf(points, weights, delta), start, { tolerance: 1e-8 }))
      .filter(({ x, value }) => Number.isFinite(value) && x.every(Number.isFinite))
      .toSorted((p, q) => p.value - q.value)[0]!;
  const best = fit(points.map(() => 1), starts());
  const draws = random(seed, "fitChinchilla").sequence();
  const sets = Array.from({ length: bootstrap }, () => {
    const weights = points.map(() => 0);
    for (let i = 0; i < points.length; i++) weights[draws.integer(points.length)]!++;
    return constantsOf(fit(weights, [best.x]).x);
  });
  const constants = constantsOf(best.x);
  const interval = (key: keyof ChinchillaConstants) => quantiles(sets.map((set) => set[key]));
  const limit = (key: "parameters" | "tokens") => Math.max(...points.map((point) => point[key]));
  return {
    constants,
    objective: best.value,
    intervals: { E: interval("E"), A: interval("A"), B: interval("B"), alpha: interval("alpha"), beta: interval("beta") },
    predict(parameters, tokens) {
      const beyond = Math.max(parameters / limit("parameters"), tokens / limit("tokens"));
      return {
        loss: lossOf(constants, parameters, tokens),
        interval: quantiles(sets.map((set) => lossOf(set, parameters, tokens))),
        ...(beyond > 10 ? { warning: `extrapolates ${beyond.toFixed(0)} times beyond the largest fitted run` } : {}),
      };
    },
  };
}
