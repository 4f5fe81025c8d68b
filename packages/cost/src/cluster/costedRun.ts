import { ConfigError } from "@espalier/core";
import { type ClusterCalibration, stepSpread, uncalibrated, Z80 } from "./calibrate.ts";
import type { ClusterPlanRequest, ClusterRun, PlannedTokens } from "./clusterPlan.ts";
import type { Cluster } from "./device.ts";
import type { Goodput } from "./goodput.ts";
import type { OperatorLaw } from "./hopOperators.ts";
import type { Layout } from "./layout.ts";
import type { Range } from "./money.ts";
import { growthCurves, operatorsOf, type TimedSize } from "./schedules.ts";
import { searchLayouts } from "./searchLayouts.ts";
import { type ClusterModel, parameterBuckets } from "./shape.ts";
import { predictClusterStep } from "./step.ts";

/** Sizes that fit the cluster, each with its fastest layout. */
export function timeSizes(
  sizes: readonly ClusterModel[],
  c: Cluster,
  globalBatchSize: number,
  options: Pick<ClusterPlanRequest, "calibration" | "layout" | "memory" | "precisions"> = {},
): { sizes: TimedSize[]; layoutsTried: number } {
  const { calibration = uncalibrated, layout: fixed = {}, memory, precisions } = options;
  let layoutsTried = 0;
  const timed: TimedSize[] = [];
  for (const model of sizes) {
    const { best, tried } = searchLayouts(model, c, globalBatchSize, { constants: calibration.constants, fixed, keep: 1, ...(memory ? { memory } : {}), ...(precisions ? { space: { precision: precisions } } : {}) });
    layoutsTried += tried;
    const [fastest] = best;
    if (fastest) timed.push(timedSize(model, fastest.layout, fastest.seconds, c, calibration));
  }
  return { sizes: timed, layoutsTried };
}

function timedSize(model: ClusterModel, layout: Layout, stepSeconds: number, c: Cluster, calibration: ClusterCalibration): TimedSize {
  return {
    model,
    parameters: parameterBuckets(model).total,
    layout,
    stepSeconds,
    secondsPerToken: stepSeconds / (layout.globalBatchSize * model.seqLen),
    spread: stepSpread(model, layout, c, calibration),
  };
}

/** Days, dollars and loss of given sizes and tokens, each growth by the operator that the law takes for best. */
export function costedRun(
  kind: ClusterRun["kind"],
  stages: readonly { size: TimedSize; tokens: number }[],
  c: Cluster,
  goodput: Goodput,
  usdPerGpuHour: number,
  growthPauseSeconds: number,
  laws?: readonly OperatorLaw[],
): ClusterRun {
  const pauses = (stages.length - 1) * growthPauseSeconds;
  const seconds = stages.map(({ size, tokens }) => (tokens * size.secondsPerToken) / goodput.goodput);
  const total = seconds.reduce((a, b) => a + b, 0) + pauses;
  // The same constants are wrong at every stage, so deviations add up; weighted by time.
  const spread = Z80 * stages.reduce((sum, { size }, i) => sum + (size.spread * seconds[i]!) / total, 0);
  const days: Range = { low: (total * Math.exp(-spread)) / 86400, value: total / 86400, high: (total * Math.exp(spread)) / 86400 };
  const perDay = 24 * c.numGpus * usdPerGpuHour;
  const trained = stages.map(({ size, tokens }) => ({ parameters: size.parameters, tokens }));
  const operators = operatorsOf(stages.map(({ size }) => size), trained, laws);
  return {
    kind,
    numGpus: c.numGpus,
    stages: stages.map(({ size, tokens }, i) => ({
      model: size.model, parameters: size.parameters, tokens, days: seconds[i]! / 86400, layout: size.layout, stepSeconds: size.stepSeconds, ...(i > 0 ? { grownBy: operators[i - 1]! } : {}),
    })),
    days,
    usd: { low: days.low * perDay, value: days.value * perDay, high: days.high * perDay },
    loss: growthCurves(trained, operators),
  };
}

/** The incumbent's stages, each in its own layout or the fastest. */
export function incumbentRun(stages: readonly PlannedTokens[], request: ClusterPlanRequest, goodput: Goodput): ClusterRun {
  const { cluster: c, calibration = uncalibrated, usdPerGpuHour, growthPauseSeconds = 600 } = request;
  const sized = stages.map(({ model, tokens, layout }) => {
    if (layout) return { size: timedSize(model, layout, predictClusterStep(model, layout, c, calibration.constants).seconds, c, calibration), tokens };
    const [size] = timeSizes([model], c, request.globalBatchSize, request).sizes;
    if (!size) throw new ConfigError(`planCluster: incumbent: its model of ${model.numLayers} x ${model.residualDim} fits no layout of ${c.numGpus} ${c.device.id}. Give a schedule that runs there.`);
    return { size, tokens };
  });
  return costedRun("incumbent", sized, c, goodput, usdPerGpuHour, growthPauseSeconds, request.operatorLaws);
}
