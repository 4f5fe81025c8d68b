import { wholeFactor } from "../axisMaps.ts";
import { appendOrder, layersInOrder } from "./depthOrder.ts";
import type { GrowthOperator } from "./operator.ts";

/**
 * G_stack: the whole trained stack g times over, layers 0..n-1, 0..n-1, ...; nothing is scaled, embeddings and final
 * norm stand once. Doubling is StackBERT. Not function preserving: the loss jumps and is repaid within some hundred
 * steps.
 *
 * Moments: old entries keep theirs, copies start at zero (the paper restarts the optimiser; measured here to make no
 * difference at small scale).
 *
 * @throws {GrowthError} when the target's layers are not a multiple of the source's
 * @see Du et al. 2024, "Stacking Your Transformers", arXiv:2405.15319, section 3
 */
export const stack: GrowthOperator = {
  name: "stack",
  summary: "repeats the whole stack of layers",
  source: "arXiv:2405.15319",
  groups: ["depth"],
  preserves: { logits: false, gradients: false },
  needsGates: false,
  needsMultiples: true,
  map(_, source, target) {
    wholeFactor("stack: numLayers", source.numLayers, target.numLayers);
    return { layers: layersInOrder(source.numLayers, appendOrder(source.numLayers, target.numLayers)) };
  },
};
