import type { StepConstants } from "./constants.ts";
import type { Cluster } from "./device.ts";
import { fittedConstants } from "./fitted.ts";
import { layout, layoutProblems, type Layout } from "./layout.ts";
import { defaultMemory, type MemoryConstants, peakMemory } from "./memory.ts";
import type { ClusterModel } from "./shape.ts";
import { stepSeconds, sumParts } from "./step.ts";

export interface LayoutChoice {
  layout: Layout;
  seconds: number;
  peakBytes: number;
}

export interface LayoutSearch {
  /** Fastest first, at most `keep`. */
  best: readonly LayoutChoice[];
  /** Layouts that divide model, batch and cluster; how many of them fit the memory; the rest do not. */
  tried: number;
  fitting: number;
  /** When nothing fits: the layout that needs least. */
  smallest?: LayoutChoice;
}

const divisors = (n: number, limit: number) => Array.from({ length: Math.min(n, limit) }, (_, i) => i + 1).filter((d) => n % d === 0);

/**
 * Every layout of a model on a cluster at one batch: tensor up to the node, pipeline, micro-batch 1 to 16,
 * recomputation, plain or interleaved schedule; timed by the step model, those kept that fit the memory.
 *
 * @param options.fixed  settings that are not searched (precision, sharding, context, expert ...)
 */
export function searchLayouts(
  m: ClusterModel,
  c: Cluster,
  globalBatchSize: number,
  options: { constants?: StepConstants; memory?: MemoryConstants; fixed?: Partial<Layout>; keep?: number } = {},
): LayoutSearch {
  const { constants = fittedConstants, memory = defaultMemory, fixed = {}, keep = 5 } = options;
  const deviceBytes = c.device.memoryGb * 2 ** 30;
  const choices: LayoutChoice[] = [];
  let tried = 0;
  let smallest: LayoutChoice | undefined;
  for (const tensor of divisors(c.nodeSize, c.nodeSize)) {
    for (const pipeline of divisors(c.numGpus / tensor, m.numLayers)) {
      const data = c.numGpus / (tensor * pipeline * (fixed.context ?? 1));
      const perRank = globalBatchSize / data;
      if (!Number.isInteger(data) || !Number.isInteger(perRank)) continue;
      for (const microBatchSize of [1, 2, 4, 8, 16]) {
        if (perRank % microBatchSize !== 0) continue;
        const pieces = pipeline > 1 ? [1, 2, 4].filter((v) => m.numLayers % (pipeline * v) === 0 || v === 1) : [1];
        for (const virtualStages of pieces) {
          // Interleaving runs micro-batches in rounds of as many as there are stages.
          if (virtualStages > 1 && (perRank / microBatchSize) % pipeline !== 0) continue;
          for (const recompute of ["none", "full"] as const) {
            const candidate = layout({ tensor, pipeline, data, microBatchSize, globalBatchSize, virtualStages, recompute, ...fixed });
            if (layoutProblems(m, candidate, c).length > 0) continue;
            tried++;
            const peakBytes = peakMemory(m, candidate, memory);
            if (peakBytes > deviceBytes) {
              if (!smallest || peakBytes < smallest.peakBytes) smallest = { layout: candidate, seconds: Number.NaN, peakBytes };
              continue;
            }
            choices.push({ layout: candidate, seconds: sumParts(stepSeconds(m, candidate, c, constants)), peakBytes });
            // Recomputation only costs time once it is not needed.
            if (recompute === "none") break;
          }
        }
      }
    }
  }
  const best = choices.toSorted((a, b) => a.seconds - b.seconds).slice(0, keep);
  return { best, tried, fitting: choices.length, ...(best.length === 0 && smallest ? { smallest } : {}) };
}
