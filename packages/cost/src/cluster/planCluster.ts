import { ConfigError } from "@espalier/core";
import { type ChinchillaConstants, chinchillaLoss, epochChinchilla, roundedChinchilla, texChinchilla } from "../laws/chinchilla.ts";
import { growthLoss, type GrowthStage } from "../laws/growthLaw.ts";
import { fitTransfer, stackSpeedups } from "../laws/transfer.ts";
import { type ClusterCalibration, stepSpread, uncalibrated, Z80 } from "./calibrate.ts";
import type { Cluster } from "./device.ts";
import { clusterGoodput, defaultFailures, type FailureModel, type Goodput } from "./goodput.ts";
import { growsInto, growthSizes } from "./growthSizes.ts";
import type { Layout } from "./layout.ts";
import type { Range } from "./money.ts";
import { searchLayouts } from "./searchLayouts.ts";
import { type ClusterModel, parameterBuckets } from "./shape.ts";

export interface ClusterPlanRequest {
  target: ClusterModel;
  cluster: Cluster;
  /** Sequences of one step, at every size. */
  globalBatchSize: number;
  /** Money and time to spend; the one that ends first counts. */
  budgetUsd: number;
  deadlineDays: number;
  usdPerGpuHour: number;
  /** Sizes to grow through; those of `growthSizes` by default. */
  sizes?: readonly ClusterModel[];
  calibration?: ClusterCalibration;
  failures?: FailureModel;
  /** Seconds without training at one growth. */
  growthPauseSeconds?: number;
  /** Settings that the search of layouts keeps fixed. */
  layout?: Partial<Layout>;
}

/** A loss by the three readings of growth, each from three sets of constants: value by Epoch's, range over all. */
export interface GrowthCurves {
  /** Every token counts as one of the final model. */
  naive: Range;
  /** A grown model is as good as its loss. The default. */
  lossMatching: Range;
  /** With the transfer fitted to published depth stacking. */
  transfer: Range;
}

export interface ClusterPlanStage {
  model: ClusterModel;
  parameters: number;
  tokens: number;
  days: number;
  layout: Layout;
  stepSeconds: number;
}

export interface ClusterRun {
  kind: "growth" | "scratch" | "smaller";
  numGpus: number;
  stages: readonly ClusterPlanStage[];
  days: Range;
  usd: Range;
  loss: GrowthCurves;
}

export interface ClusterPlan {
  /** The schedule that ends at the target with the lowest loss by each reading. */
  best: Record<keyof GrowthCurves, ClusterRun>;
  /** The target from scratch, and the best single size, for the same money. */
  rivals: { scratch: ClusterRun; smaller: ClusterRun };
  /** No other run is at once cheaper, sooner and better by loss matching. */
  front: readonly ClusterRun[];
  goodput: Goodput;
  /** Schedules evaluated: time, dollars and loss of each. */
  evaluations: number;
  layoutsTried: number;
  warnings: readonly string[];
}

/** A size with its fastest layout that fits. */
export interface TimedSize {
  model: ClusterModel;
  parameters: number;
  layout: Layout;
  stepSeconds: number;
  secondsPerToken: number;
  /** Standard deviation of the logarithm of the seconds. */
  spread: number;
}

const LAWS: readonly ChinchillaConstants[] = [epochChinchilla, roundedChinchilla, texChinchilla];
let fittedTransfer: number | undefined;
/** kappa of published depth stacking, fitted once. */
function stackTransfer(): number {
  return (fittedTransfer ??= fitTransfer(stackSpeedups));
}

const rangeOf = (values: readonly number[]): Range => ({ low: Math.min(...values), value: values[0]!, high: Math.max(...values) });

/** Loss of a schedule by the three readings. */
export function growthCurves(stages: readonly GrowthStage[]): GrowthCurves {
  const tokens = stages.reduce((sum, stage) => sum + stage.tokens, 0);
  const final = stages.at(-1)!.parameters;
  return {
    naive: rangeOf(LAWS.map((constants) => chinchillaLoss(final, tokens, constants))),
    lossMatching: rangeOf(LAWS.map((constants) => growthLoss(stages, { constants }).loss)),
    transfer: rangeOf(LAWS.map((constants) => growthLoss(stages, { constants, transfer: stackTransfer() }).loss)),
  };
}

/** Sizes that fit the cluster, each with its fastest layout. */
export function timeSizes(sizes: readonly ClusterModel[], c: Cluster, globalBatchSize: number, options: Pick<ClusterPlanRequest, "calibration" | "layout"> = {}): { sizes: TimedSize[]; layoutsTried: number } {
  const { calibration = uncalibrated, layout: fixed = {} } = options;
  let layoutsTried = 0;
  const timed: TimedSize[] = [];
  for (const model of sizes) {
    const { best, tried } = searchLayouts(model, c, globalBatchSize, { constants: calibration.constants, fixed, keep: 1 });
    layoutsTried += tried;
    const [fastest] = best;
    if (!fastest) continue;
    timed.push({
      model,
      parameters: parameterBuckets(model).total,
      layout: fastest.layout,
      stepSeconds: fastest.seconds,
      secondsPerToken: fastest.seconds / (globalBatchSize * model.seqLen),
      spread: stepSpread(model, fastest.layout, c, calibration),
    });
  }
  return { sizes: timed, layoutsTried };
}

/** Days, dollars and loss of given sizes and tokens. */
export function costedRun(
  kind: ClusterRun["kind"],
  stages: readonly { size: TimedSize; tokens: number }[],
  c: Cluster,
  goodput: Goodput,
  usdPerGpuHour: number,
  growthPauseSeconds: number,
): ClusterRun {
  const pauses = (stages.length - 1) * growthPauseSeconds;
  const seconds = stages.map(({ size, tokens }) => (tokens * size.secondsPerToken) / goodput.goodput);
  const total = seconds.reduce((a, b) => a + b, 0) + pauses;
  // The same constants are wrong at every stage, so deviations add up; weighted by time.
  const spread = Z80 * stages.reduce((sum, { size }, i) => sum + (size.spread * seconds[i]!) / total, 0);
  const days: Range = { low: (total * Math.exp(-spread)) / 86400, value: total / 86400, high: (total * Math.exp(spread)) / 86400 };
  const perDay = 24 * c.numGpus * usdPerGpuHour;
  return {
    kind,
    numGpus: c.numGpus,
    stages: stages.map(({ size, tokens }, i) => ({
      model: size.model, parameters: size.parameters, tokens, days: seconds[i]! / 86400, layout: size.layout, stepSeconds: size.stepSeconds,
    })),
    days,
    usd: { low: days.low * perDay, value: days.value * perDay, high: days.high * perDay },
    loss: growthCurves(stages.map(({ size, tokens }) => ({ parameters: size.parameters, tokens }))),
  };
}

/** Steps of the share of training time that a stage gets. */
const SHARE_STEP = 0.05;

interface Winner { loss: number; chain: readonly TimedSize[]; shares: readonly number[] }

/** The best schedules of one to three sizes to the target within `seconds` of training, by each reading. */
function searchSchedules(sizes: readonly TimedSize[], seconds: number): { best: Record<keyof GrowthCurves, Winner>; evaluations: number } {
  const target = sizes.at(-1)!;
  const kappa = stackTransfer();
  const none = (): Winner => ({ loss: Infinity, chain: [], shares: [] });
  const best = { naive: none(), lossMatching: none(), transfer: none() };
  let evaluations = 0;
  const consider = (reading: keyof GrowthCurves, loss: number, chain: readonly TimedSize[], shares: readonly number[]) => {
    if (loss < best[reading].loss) best[reading] = { loss, chain, shares };
  };
  const evaluate = (chain: readonly TimedSize[], shares: readonly number[]) => {
    const stages = chain.map((size, i) => ({ parameters: size.parameters, tokens: (shares[i]! * seconds) / size.secondsPerToken }));
    const tokens = stages.reduce((sum, stage) => sum + stage.tokens, 0);
    evaluations++;
    consider("naive", chinchillaLoss(target.parameters, tokens), chain, shares);
    consider("lossMatching", growthLoss(stages).loss, chain, shares);
    consider("transfer", growthLoss(stages, { transfer: kappa }).loss, chain, shares);
  };
  const steps = Math.round(1 / SHARE_STEP);
  for (const first of sizes) {
    if (!growsInto(first.model, target.model)) continue;
    for (let a = 1; a < steps; a++) evaluate([first, target], [a / steps, 1 - a / steps]);
    for (const second of sizes) {
      if (!growsInto(first.model, second.model) || !growsInto(second.model, target.model)) continue;
      for (let a = 1; a < steps - 1; a++) {
        for (let b = 1; a + b < steps; b++) evaluate([first, second, target], [a / steps, b / steps, (steps - a - b) / steps]);
      }
    }
  }
  return { best, evaluations };
}

/**
 * The growth schedules and layouts that a budget, a deadline and a cluster allow: every size gets its fastest layout
 * that fits the memory, every chain of up to three sizes and every split of the time is costed, and the winners by each
 * reading of growth stand beside the target from scratch and the best smaller model at the same cost.
 *
 * @throws {ConfigError} when the target fits no layout, or there is nothing to spend
 */
export function planCluster(request: ClusterPlanRequest): ClusterPlan {
  const { target, cluster: c, globalBatchSize, budgetUsd, deadlineDays, usdPerGpuHour, failures = defaultFailures, growthPauseSeconds = 600 } = request;
  if (!(budgetUsd > 0 && deadlineDays > 0 && usdPerGpuHour > 0)) {
    throw new ConfigError(`planCluster: budgetUsd ${budgetUsd}, deadlineDays ${deadlineDays}, usdPerGpuHour ${usdPerGpuHour}: expected all above 0. Give dollars, days and a price.`);
  }
  const shapes = [...(request.sizes ?? growthSizes(target)).filter((size) => growsInto(size, target)), target];
  const goodput = clusterGoodput(c.numGpus, failures);
  let layoutsTried = 0;
  let evaluations = 0;

  /** Plans on a part of the cluster, for a part of the budget each. */
  const plansOn = (machine: Cluster) => {
    const timed = timeSizes(shapes, machine, globalBatchSize, request);
    layoutsTried += timed.layoutsTried;
    const last = timed.sizes.at(-1);
    if (last?.model !== target) return undefined;
    const usable = clusterGoodput(machine.numGpus, failures);
    return (part: number) => {
      const hours = part * Math.min(deadlineDays * 24, budgetUsd / (usdPerGpuHour * machine.numGpus));
      const run = (kind: ClusterRun["kind"], chain: readonly TimedSize[], shares: readonly number[]) => {
        const training = Math.max(0, hours * 3600 - (chain.length - 1) * growthPauseSeconds) * usable.goodput;
        return costedRun(kind, chain.map((size, i) => ({ size, tokens: (shares[i]! * training) / size.secondsPerToken })), machine, usable, usdPerGpuHour, growthPauseSeconds);
      };
      const found = searchSchedules(timed.sizes, Math.max(0, hours * 3600 - 2 * growthPauseSeconds) * usable.goodput);
      evaluations += found.evaluations;
      const scratch = run("scratch", [last], [1]);
      const schedule = (reading: keyof GrowthCurves) => {
        const { chain, shares } = found.best[reading];
        return chain.length > 0 ? run("growth", chain, shares) : scratch;
      };
      const smaller = timed.sizes.slice(0, -1).map((size) => run("smaller", [size], [1])).toSorted((a, b) => a.loss.lossMatching.value - b.loss.lossMatching.value)[0] ?? scratch;
      return { best: { naive: schedule("naive"), lossMatching: schedule("lossMatching"), transfer: schedule("transfer") }, scratch, smaller };
    };
  };

  const whole = plansOn(c);
  if (!whole) {
    const { smallest } = searchLayouts(target, c, globalBatchSize, request.layout ? { fixed: request.layout } : {});
    const need = smallest ? `the smallest layout needs ${(smallest.peakBytes / 2 ** 30).toFixed(0)} of ${c.device.memoryGb} GiB` : "no layout divides heads, layers, batch and GPUs";
    throw new ConfigError(`planCluster: target: does not fit ${c.numGpus} ${c.device.id}, ${need}. Take more GPUs, a batch that divides by more ranks, or a smaller target.`);
  }
  const main = whole(1);
  const runs: ClusterRun[] = [];
  for (const fraction of [1, 2, 4]) {
    const numGpus = c.numGpus / fraction;
    if (!Number.isInteger(numGpus / c.nodeSize)) continue;
    const here = fraction === 1 ? whole : plansOn({ ...c, numGpus });
    for (const part of here ? [0.25, 0.5, 1] : []) {
      const { best, scratch, smaller } = fraction === 1 && part === 1 ? main : here!(part);
      runs.push(best.lossMatching, scratch, smaller);
    }
  }
  const beats = (a: ClusterRun, b: ClusterRun) =>
    a !== b && a.usd.value <= b.usd.value * 1.0001 && a.days.value <= b.days.value * 1.0001 && a.loss.lossMatching.value < b.loss.lossMatching.value;
  const front = runs.filter((run) => !runs.some((other) => beats(other, run))).toSorted((a, b) => a.usd.value - b.usd.value || a.days.value - b.days.value);
  const warnings: string[] = [];
  const parameters = parameterBuckets(target).total;
  if (parameters > 16.3e9) warnings.push(`static laws were fitted to models of 70 million to 16 billion parameters; the target has ${(parameters / 1e9).toFixed(1)} billion`);
  if (parameters > 7e9) warnings.push(`the transfer term was fitted to depth stacking at 0.4 to 7 billion parameters, g = 4; here it is extrapolated`);
  return { best: main.best, rivals: { scratch: main.scratch, smaller: main.smaller }, front, goodput, evaluations, layoutsTried, warnings };
}
