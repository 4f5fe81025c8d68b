import type { ModelConfig } from "@espalier/spec/model";
import { keepLayers } from "../growthMap.ts";
import type { LayerMap } from "../map.ts";
import { type DepthSlot, appendOrder, insertOrder } from "./depthOrder.ts";
import type { GrowthOperator } from "./operator.ts";

/**
 * Zero-initialised depth: every new layer is a copy, right after its source, whose attention output and MLP down
 * projections (weights and biases) are 0, so that it adds nothing to the residual stream until it has learned. Exact
 * without gates; only the two zeroed projections have a gradient in the first step.
 *
 * Moments: old entries keep theirs, new layers start at zero.
 *
 * @throws {GrowthError} when the target has fewer layers than the source
 * @see "zero depth" in arXiv:2405.15319; "add layer" in arXiv:2308.06103, table 1; LLaMA-Pro, arXiv:2401.02415
 */
export const zeroDepth: GrowthOperator = {
  name: "zeroDepth",
  summary: "inserts copies whose output projections are zero, each right after its source",
  source: "arXiv:2405.15319",
  groups: ["depth"],
  preserves: { logits: true, gradients: true },
  needsGates: false,
  map: (_, source, target) => ({ layers: zeroedCopies(source, insertOrder(source.numLayers, target.numLayers)) }),
};

/** Zero-initialised depth with the copies on top of the stack, in MSG's default order. */
export const zeroDepthTop: GrowthOperator = {
  ...zeroDepth,
  name: "zeroDepthTop",
  summary: "appends copies whose output projections are zero on top of the stack",
  map: (_, source, target) => ({ layers: zeroedCopies(source, appendOrder(source.numLayers, target.numLayers)) }),
};

function zeroedCopies(source: ModelConfig, order: readonly DepthSlot[]): LayerMap[] {
  const kept = keepLayers(source.numLayers);
  return order.map(({ layer, isNew }) => (isNew ? { ...kept[layer]!, keeps: -1, zeroOutputs: true } : kept[layer]!));
}
