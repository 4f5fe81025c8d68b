import { GrowthError } from "@espalier/core";
import { expectNotSmaller } from "../axisMaps.ts";
import { keepLayers } from "../growthMap.ts";
import type { LayerMap } from "../map.ts";
import type { GrowthOperator } from "./operator.ts";

/**
 * Late expansion of a shallow model: new layers on top, freshly initialised. The loss jumps and the deep model "mixes"
 * within a share of the run that a pilot tells. The authors start from no layer or one.
 *
 * @throws {GrowthError} when the target has fewer layers than the source
 * @see arXiv:2511.04981, zero- and one-layer expansion
 */
export const randomDepth: GrowthOperator = {
  name: "randomDepth",
  summary: "puts freshly initialised layers on top",
  source: "arXiv:2511.04981",
  groups: ["depth"],
  preserves: { logits: false, gradients: false },
  needsGates: false,
  map(_, { numLayers: n }, { numLayers }) {
    expectNotSmaller("randomDepth: numLayers", n, numLayers);
    const fresh: LayerMap = { terms: [], keeps: -1, zeroOutputs: false, gated: false };
    return { layers: [...keepLayers(n), ...Array.from({ length: numLayers - n }, () => fresh)] };
  },
};

/**
 * Interpolated depth: a new layer between two neighbours is their mean, at places spread evenly. What OpT-DeUS does once
 * it has aligned the neighbours' units by optimal transport; there is no alignment here.
 *
 * @throws {GrowthError} when more layers are added than there are places between layers
 * @see arXiv:2508.08011
 */
export const averageDepth: GrowthOperator = {
  name: "averageDepth",
  summary: "puts the mean of two neighbours between them",
  source: "arXiv:2508.08011",
  groups: ["depth"],
  preserves: { logits: false, gradients: false },
  needsGates: false,
  map(_, { numLayers: n }, { numLayers }) {
    expectNotSmaller("averageDepth: numLayers", n, numLayers);
    const added = numLayers - n;
    if (added > Math.max(0, n - 1)) {
      throw new GrowthError(
        `averageDepth: ${added} layers are added to ${n}, expected at most ${Math.max(0, n - 1)}: one between each two neighbours. Grow in several stages.`,
      );
    }
    const places = new Set(Array.from({ length: added }, (_, i) => Math.floor(((i + 0.5) * (n - 1)) / added)));
    const mean = (layer: number): LayerMap => ({
      terms: [{ layer, weight: 0.5 }, { layer: layer + 1, weight: 0.5 }],
      keeps: -1,
      zeroOutputs: false,
      gated: false,
    });
    return { layers: keepLayers(n).flatMap((layer, i) => (places.has(i) ? [layer, mean(i)] : [layer])) };
  },
};
