import { GrowthError } from "@espalier/core";
import { expectNotSmaller } from "../axisMaps.ts";
import { type DepthSlot, evenOrder, layersInOrder } from "./depthOrder.ts";
import type { GrowthOperator } from "./operator.ts";

/*
 * Plain copies of some layers: nothing is scaled, nothing is gated, so none of these keeps the function. They differ in
 * which layers are copied and where the copies stand. Moments: old entries keep theirs, copies start at zero.
 */

const plain = { groups: ["depth"], preserves: { logits: false, gradients: false }, needsGates: false } as const;

/** Layers `from` to `to` - 1. */
const range = (from: number, to: number, isNew: boolean): DepthSlot[] =>
  Array.from({ length: to - from }, (_, i) => ({ layer: from + i, isNew }));

/**
 * Gradual stacking: the last layers once more on top, as many as are added.
 *
 * @throws {GrowthError} when more layers are added than there are
 * @see the baseline of Saunshi et al. 2024, arXiv:2409.19044, section 2
 */
export const gradualStack: GrowthOperator = {
  ...plain,
  name: "gradualStack",
  summary: "repeats the last layers on top",
  source: "arXiv:2409.19044",
  map(_, { numLayers: n }, { numLayers }) {
    const added = addedLayers("gradualStack", n, numLayers);
    return { layers: layersInOrder(n, [...range(0, n, false), ...range(n - added, n, true)]) };
  },
};

/**
 * Interpolated stacking: every p-th layer is copied right after itself, so that the order of the source never changes.
 *
 * @throws {GrowthError} when the added layers cannot stand at even distances
 * @see "interpolation" in Wang et al. 2023, arXiv:2303.00980
 */
export const interleavedStack: GrowthOperator = {
  ...plain,
  name: "interleavedStack",
  summary: "copies layers at even distances, each right after its source",
  source: "arXiv:2303.00980",
  needsMultiples: true,
  map: (_, { numLayers: n }, { numLayers }) => ({ layers: layersInOrder(n, evenOrder("interleavedStack", n, numLayers)) }),
};

/**
 * MIDAS: the source is n/b blocks of b layers, b being what is added; the middle block, ceil(n/b / 2) counted from 1, is
 * copied and the copy stands right after it.
 *
 * @throws {GrowthError} when the added layers do not divide the source's
 * @see Saunshi et al. 2024, arXiv:2409.19044, section 3
 */
export const midas: GrowthOperator = {
  ...plain,
  name: "midas",
  summary: "copies the middle block right after itself, as long as what is added",
  source: "arXiv:2409.19044",
  needsMultiples: true,
  map(_, { numLayers: n }, { numLayers }) {
    const added = addedLayers("midas", n, numLayers, 1);
    const end = added === 0 ? n : added * Math.ceil(n / added / 2);
    return { layers: layersInOrder(n, [...range(0, end, false), ...range(end - added, end, true), ...range(end, n, false)]) };
  },
};

/**
 * LIDAS: like MIDAS, but exact to the layer: the block inserted after the middle block B' is the last half of B' and the
 * first half of the block after it, so that the weights stay symmetric around the middle.
 *
 * @throws {GrowthError} when the added layers are odd in number, or twice them do not fit the source as whole blocks
 * @see arXiv:2512.08819; of its two middles of an odd number of blocks this takes the place after the middle block
 */
export const lidas: GrowthOperator = {
  ...plain,
  name: "lidas",
  summary: "copies the layers around the end of the middle block, half from each side",
  source: "arXiv:2512.08819",
  needsMultiples: true,
  map(_, { numLayers: n }, { numLayers }) {
    const added = addedLayers("lidas", n, numLayers, 2);
    if (added % 2 !== 0) {
      throw new GrowthError(`lidas: ${added} layers are added, expected an even number: half from each side of the middle. Choose another depth.`);
    }
    const end = added === 0 ? n : added * Math.ceil(n / added / 2);
    const half = added / 2;
    return { layers: layersInOrder(n, [...range(0, end, false), ...range(end - half, end + half, true), ...range(end, n, false)]) };
  },
};

/**
 * SOLAR's depth up-scaling: two copies of the stack, the first without its last m layers, the second without its first
 * m; 2 (n - m) layers. The last m layers stand only in the second copy and are continued there.
 *
 * @throws {GrowthError} when the target is odd in depth, or more than twice the source
 * @see Kim et al. 2023, arXiv:2312.15166, section 2
 */
export const solar: GrowthOperator = {
  ...plain,
  name: "solar",
  summary: "two copies of the stack that overlap in the middle",
  source: "arXiv:2312.15166",
  needsMultiples: true,
  map(_, { numLayers: n }, { numLayers }) {
    addedLayers("solar", n, numLayers);
    if (numLayers % 2 !== 0) {
      throw new GrowthError(`solar: numLayers is ${numLayers}, expected an even number: two copies of equal length. Choose another depth.`);
    }
    const each = numLayers / 2;
    return { layers: layersInOrder(n, [...range(0, each, false), ...range(n - each, each, true), ...range(each, n, false)]) };
  },
};

/** Layers that are added, with at least `blocks` blocks of that many in the source. */
function addedLayers(name: string, numSource: number, numTarget: number, blocks?: number): number {
  expectNotSmaller(`${name}: numLayers`, numSource, numTarget);
  const added = numTarget - numSource;
  if (added > numSource) {
    throw new GrowthError(`${name}: ${added} layers are added to ${numSource}, expected at most as many as there are. Grow in several stages.`);
  }
  if (blocks !== undefined && added > 0 && (numSource % added !== 0 || numSource < blocks * added)) {
    throw new GrowthError(
      `${name}: ${added} layers are added to ${numSource}, expected a block that divides the source into ${blocks} or more. ` +
        "Choose another depth, or grow in several stages.",
    );
  }
  return added;
}
