import type { StepConstants } from "../cluster/constants.ts";
import type { Cluster } from "../cluster/device.ts";
import { fittedConstants } from "../cluster/fitted.ts";
import { layerSeconds } from "../cluster/layer.ts";
import { expectLayout, type Layout, microBatches } from "../cluster/layout.ts";
import type { ClusterModel } from "../cluster/shape.ts";
import { hostSeconds, logitSeconds, replaySeconds, transferSeconds } from "../cluster/step.ts";
import { type PipelineSimulation, type RankSeconds, simulatePipeline } from "./simulatePipeline.ts";

/**
 * What one micro-batch takes on every rank of the pipeline by the parts of the step model: layers in whole shares, the
 * first ranks one more where they do not divide; logits and loss on the last rank. Sends wait, so they are part of a rank's work, as the step model has them.
 */
export function rankSeconds(m: ClusterModel, l: Layout, c: Cluster, k: StepConstants = fittedConstants): RankSeconds[] {
  const one = layerSeconds(m, l, c, k);
  const full = l.recompute === "full" ? 1 : 0;
  const forward = one.productsForward + one.attentionForward + one.elementForward + one.tensorForward + one.contextForward + one.expertForward;
  const inputGradient =
    one.productsInputGradient + one.attentionBackward + one.elementBackward + replaySeconds(l, one) +
    (1 + full) * one.tensorForward + full * one.contextForward + one.contextBackward + (1 + full) * one.expertForward;
  const weightGradient = one.productsWeightGradient;
  const host = hostSeconds(l, k, forward + inputGradient + weightGradient);
  const transfer = transferSeconds(m, l, c, k) / 2;
  const logits = logitSeconds(m, l, c, k);
  return Array.from({ length: l.pipeline }, (_, rank) => {
    const layers = Math.floor(m.numLayers / l.pipeline) + Number(rank < m.numLayers % l.pipeline);
    const third = rank === l.pipeline - 1 ? logits / 3 : 0;
    return {
      forward: layers * (forward + host / 3) + transfer + third,
      inputGradient: layers * (inputGradient + (2 * host) / 3) + transfer + third,
      weightGradient: layers * weightGradient + third,
    };
  });
}

/**
 * The pipeline of one step operation by operation, without what follows the last backward pass (reduction of gradients,
 * optimiser). `slow` multiplies the work of single ranks: what one straggler costs.
 *
 * @param slow factor by rank
 * @throws {ConfigError} when the layout does not divide model, batch or cluster
 */
export function simulateStep(m: ClusterModel, l: Layout, c: Cluster, options: { constants?: StepConstants; slow?: Readonly<Record<number, number>> } = {}): PipelineSimulation {
  expectLayout(m, l, c);
  const ranks = rankSeconds(m, l, c, options.constants).map((seconds, rank) => {
    const factor = options.slow?.[rank] ?? 1;
    return { forward: factor * seconds.forward, inputGradient: factor * seconds.inputGradient, weightGradient: factor * seconds.weightGradient };
  });
  return simulatePipeline({ ranks, microBatches: microBatches(l), schedule: l.schedule, virtualStages: l.virtualStages });
}
