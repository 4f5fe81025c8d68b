import { ConfigError } from "@espalier/core";
import { type ClusterPriceRow, clusterPrices, standInPrices } from "../catalogue/clusterPrices.ts";
import { findGrid, type GridRow, type PueRow, pueRows } from "../catalogue/grid.ts";
import { type ClusterCalibration, type ClusterStepEstimate, estimateClusterStep, uncalibrated } from "./calibrate.ts";
import type { Cluster } from "./device.ts";
import { clusterGoodput, type FailureModel, type Goodput } from "./goodput.ts";
import type { Layout } from "./layout.ts";
import { type ClusterMemory, type MemoryConstants, predictClusterMemory } from "./memory.ts";
import { type ClusterCost, clusterCost } from "./money.ts";
import { searchLayouts } from "./searchLayouts.ts";
import type { ClusterModel } from "./shape.ts";
import { whyNoLayout } from "./whyNoLayout.ts";

export interface RunRequest {
  model: ClusterModel;
  cluster: Cluster;
  tokens: number;
  /** Sequences of one step. */
  globalBatchSize: number;
  /** The fastest that fits, when left out. */
  layout?: Layout;
  /** Settings that the search keeps, when there is no layout. */
  fixed?: Partial<Layout>;
  calibration?: ClusterCalibration;
  memory?: MemoryConstants;
  failures?: FailureModel;
  /** On-demand prices of the device by default; where it has few, those of the same chip widen the range. */
  prices?: readonly ClusterPriceRow[];
  /** World mean by default. */
  grid?: GridRow;
  pue?: PueRow;
}

export interface RunEstimate {
  layout: Layout;
  numSteps: number;
  step: ClusterStepEstimate;
  memory: ClusterMemory;
  goodput: Goodput;
  cost: ClusterCost;
}

/**
 * A whole run on a cluster before it starts: layout, step, memory, then days, energy, carbon and dollars, as ranges.
 *
 * @throws {ConfigError} when no layout fits, the given one does not divide, or there is no price of the device
 */
export function estimateRun(request: RunRequest): RunEstimate {
  const { model, cluster, tokens, globalBatchSize, calibration = uncalibrated } = request;
  if (!(tokens > 0)) throw new ConfigError(`estimateRun: tokens: is ${tokens}, expected more than 0. Give the tokens of the run.`);
  let { layout } = request;
  if (!layout) {
    const { best } = searchLayouts(model, cluster, globalBatchSize, { constants: calibration.constants, keep: 1, ...(request.fixed ? { fixed: request.fixed } : {}), ...(request.memory ? { memory: request.memory } : {}) });
    layout = best[0]?.layout;
    if (!layout) {
      throw new ConfigError(`estimateRun: no layout fits ${cluster.numGpus} ${cluster.device.id}: ${whyNoLayout(model, cluster, globalBatchSize, request)}`);
    }
  }
  const prices = request.prices ?? clusterPrices(cluster.device.id);
  if (prices.length === 0) throw new ConfigError(`estimateRun: prices: the catalogue has none for ${cluster.device.id}. Give a row with your price.`);
  const step = estimateClusterStep(model, layout, cluster, calibration);
  const numSteps = Math.ceil(tokens / (layout.globalBatchSize * model.seqLen));
  const goodput = clusterGoodput(cluster.numGpus, request.failures);
  const [low, high] = step.interval;
  const cost = clusterCost({
    trainingSeconds: { low: numSteps * low, value: numSteps * step.seconds, high: numSteps * high },
    cluster, goodput, prices, standIns: request.prices ? [] : standInPrices(cluster.device.id), grid: request.grid ?? findGrid("WORLD")!, pue: request.pue ?? pueRows[0]!,
  });
  return { layout, numSteps, step, memory: predictClusterMemory(model, layout, cluster, request.memory), goodput, cost };
}
