import type { StepConstants } from "./constants.ts";
import type { Cluster } from "./device.ts";
import { fittedConstants } from "./fitted.ts";
import { layerSeconds } from "./layer.ts";
import { layout, type Layout } from "./layout.ts";
import { type LayoutSpace, layoutSpace } from "./layoutSpace.ts";
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
  /** Layouts evaluated; how many of them fit the memory; the rest do not. */
  tried: number;
  fitting: number;
  /** When nothing fits: the layout that needs least. */
  smallest?: LayoutChoice;
}

export interface LayoutSearchOptions {
  constants?: StepConstants;
  memory?: MemoryConstants;
  /** Settings that are not searched (precision, sharding, context, expert ...). */
  fixed?: Partial<Layout>;
  /** Values to search instead of those of `layoutSpace`. */
  space?: Partial<LayoutSpace>;
  keep?: number;
}

/** Recomputation that saves nothing where flash attention keeps no scores: the same memory, more time. */
const useless = (recompute: Layout["recompute"], attention: Layout["attention"]) => recompute === "selective" && attention !== "unfused";

/**
 * Every layout of a model on a cluster at one batch, by the step and memory models: tensor, pipeline, context and expert
 * degrees, micro-batch, pipeline schedule, sharding, precision and recomputation. The one cut is exact: recomputation is
 * tried only where the layout does not fit without, since it never saves time.
 */
export function searchLayouts(m: ClusterModel, c: Cluster, globalBatchSize: number, options: LayoutSearchOptions = {}): LayoutSearch {
  const { constants = fittedConstants, memory = defaultMemory, fixed = {}, keep = 5 } = options;
  const space = { ...layoutSpace(m, c, fixed), ...options.space };
  const deviceBytes = c.device.memoryGb * 2 ** 30;
  const best: LayoutChoice[] = [];
  let tried = 0;
  let fitting = 0;
  let smallest: LayoutChoice | undefined;
  const consider = (choice: LayoutChoice) => {
    fitting++;
    if (best.length === keep && choice.seconds >= best.at(-1)!.seconds) return;
    let at = best.length;
    while (at > 0 && best[at - 1]!.seconds > choice.seconds) at--;
    best.splice(at, 0, choice);
    if (best.length > keep) best.pop();
  };

  for (const precision of space.precision) {
    if (precision === "fp8" && c.device.matmulFp8Tflops === undefined) continue;
    for (const tensor of space.tensor) {
      if (m.numHeads % tensor !== 0 || m.ffnDim % tensor !== 0) continue;
      for (const context of space.context) {
        for (const expert of space.expert) {
          for (const microBatchSize of space.microBatchSize) {
            const base = layout({ globalBatchSize, ...fixed, precision, tensor, context, expert, microBatchSize });
            // One layer's work does not depend on what the loops below change.
            const layer = layerSeconds(m, base, c, constants);
            for (const pipeline of space.pipeline) {
              const data = c.numGpus / (tensor * pipeline * context);
              const micro = globalBatchSize / (data * microBatchSize);
              if (!Number.isInteger(data) || !Number.isInteger(micro) || (data * context) % expert !== 0) continue;
              for (const { schedule, virtualStages } of space.schedules) {
                if (schedule !== "1f1b" && pipeline === 1) continue;
                // Interleaving runs micro-batches in rounds of as many as there are stages, on pieces of equal depth.
                if (virtualStages > 1 && (m.numLayers % (pipeline * virtualStages) !== 0 || micro % pipeline !== 0)) continue;
                for (const sharding of space.sharding) {
                  if (sharding === "full" && pipeline > 1) continue;
                  for (const recompute of space.recompute) {
                    if (useless(recompute, base.attention) && space.recompute.length > 1) continue;
                    const candidate: Layout = { ...base, pipeline, data, schedule, virtualStages, sharding, recompute };
                    tried++;
                    const peakBytes = peakMemory(m, candidate, memory);
                    if (peakBytes > deviceBytes) {
                      if (!smallest || peakBytes < smallest.peakBytes) smallest = { layout: candidate, seconds: Number.NaN, peakBytes };
                      continue;
                    }
                    consider({ layout: candidate, seconds: sumParts(stepSeconds(m, candidate, c, constants, layer)), peakBytes });
                    if (recompute === "none") break;
                  }
                }
              }
            }
          }
        }
      }
    }
  }
  return { best, tried, fitting, ...(best.length === 0 && smallest ? { smallest } : {}) };
}
