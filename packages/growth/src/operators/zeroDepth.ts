import { appendOrder, evenOrder, insertOrder, layersInOrder } from "./depthOrder.ts";
import type { GrowthOperator } from "./operator.ts";

const zeroed = { zeroOutputs: true } as const;

/**
 * Zero-initialised depth: every new layer is a copy, right after its source, whose attention output and MLP down
 * projections (weights and biases) are 0, so that it adds nothing to the residual stream until it has learned. Exact
 * without gates; only the two zeroed projections have a gradient in the first step.
 *
 * Moments: old entries keep theirs, new layers start at zero.
 *
 * @throws {GrowthError} when the target has fewer layers than the source
 * @see "zero depth" in arXiv:2405.15319; "add layer" in arXiv:2308.06103, table 1
 */
export const zeroDepth: GrowthOperator = {
  name: "zeroDepth",
  summary: "inserts copies whose output projections are zero, each right after its source",
  source: "arXiv:2405.15319",
  groups: ["depth"],
  preserves: { logits: true, gradients: true },
  needsGates: false,
  map: (_, { numLayers: n }, target) => ({ layers: layersInOrder(n, insertOrder(n, target.numLayers), zeroed) }),
};

/** Zero-initialised depth with the copies on top of the stack, in MSG's default order. */
export const zeroDepthTop: GrowthOperator = {
  ...zeroDepth,
  name: "zeroDepthTop",
  summary: "appends copies whose output projections are zero on top of the stack",
  map: (_, { numLayers: n }, target) => ({ layers: layersInOrder(n, appendOrder(n, target.numLayers), zeroed) }),
};

/**
 * LLaMA-Pro's block expansion: zero-initialised copies at even distances, one after every p-th layer. (The authors go
 * on to train the new layers alone.)
 *
 * @throws {GrowthError} when the added layers cannot stand at even distances
 * @see Wu et al. 2024, arXiv:2401.02415; code github.com/TencentARC/LLaMA-Pro
 */
export const llamaPro: GrowthOperator = {
  ...zeroDepth,
  name: "llamaPro",
  summary: "inserts copies whose output projections are zero at even distances",
  source: "arXiv:2401.02415",
  needsMultiples: true,
  map: (_, { numLayers: n }, target) => ({ layers: layersInOrder(n, evenOrder("llamaPro", n, target.numLayers), zeroed) }),
};
