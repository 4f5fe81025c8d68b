import { GrowthError } from "@espalier/core";
import { expectNotSmaller } from "../axisMaps.ts";
import { keepLayers } from "../growthMap.ts";
import type { LayerMap } from "../map.ts";

/** One layer of the target: a source layer, either continued or copied. */
export interface DepthSlot {
  layer: number;
  isNew: boolean;
}

/**
 * MSG's default order: layers 0..n-1, then whole copies of the stack as often as they fit, then the last
 * `target mod n` layers.
 *
 * @see github.com/cofe-ai/MSG, growth strategy "random"
 */
export function appendOrder(numSource: number, numTarget: number): DepthSlot[] {
  expectLayers(numSource, numTarget);
  const remainder = numTarget % numSource;
  return Array.from({ length: numTarget }, (_, i) => ({
    layer: i < numTarget - remainder ? i % numSource : numSource - (numTarget - i),
    isNew: i >= numSource,
  }));
}

/**
 * Copies right after their source. Every layer gets the same number of copies; what is left over goes to the topmost
 * layers, as MSG inserts from the top down. (MSG itself puts copies beyond one a layer on top; spreading them keeps the
 * order of the source for every target, which is ours.)
 */
export function insertOrder(numSource: number, numTarget: number): DepthSlot[] {
  expectLayers(numSource, numTarget);
  const each = Math.floor(numTarget / numSource);
  const extra = numTarget % numSource;
  return Array.from({ length: numSource }, (_, layer) =>
    Array.from({ length: each + (layer >= numSource - extra ? 1 : 0) }, (_, copy) => ({ layer, isNew: copy > 0 })),
  ).flat();
}

function expectLayers(numSource: number, numTarget: number): void {
  expectNotSmaller("numLayers", numSource, numTarget);
  if (numSource === 0 && numTarget > 0) {
    throw new GrowthError(
      "numLayers: the source has 0 layers, expected at least 1 to copy. Start from a model with a layer.",
    );
  }
}

/**
 * Copies at even distances: after every p-th layer when the added layers divide the source's (p = source / added), or
 * equally many after every layer when they are a multiple of it.
 *
 * @throws {GrowthError} when the added layers are neither
 */
export function evenOrder(name: string, numSource: number, numTarget: number): DepthSlot[] {
  expectLayers(numSource, numTarget);
  const added = numTarget - numSource;
  if (added > 0 && numSource % added !== 0 && added % numSource !== 0) {
    throw new GrowthError(
      `${name}: ${added} layers are added to ${numSource}, expected a divisor or a multiple of ${numSource}, so that ` +
        "they stand at even distances. Choose another depth, or `zeroDepth`.",
    );
  }
  const every = added === 0 ? Infinity : Math.max(1, numSource / added);
  const copiesAfter = Math.max(1, added / numSource);
  return Array.from({ length: numSource }, (_, layer) => [
    { layer, isNew: false },
    ...Array.from({ length: (layer + 1) % every === 0 ? copiesAfter : 0 }, () => ({ layer, isNew: true })),
  ]).flat();
}

/** The layers of an order: continued layers as they are, copies born in this growth with what `born` says of them. */
export function layersInOrder(
  numSource: number,
  order: readonly DepthSlot[],
  born: Partial<Pick<LayerMap, "zeroOutputs" | "gated">> = {},
): LayerMap[] {
  const kept = keepLayers(numSource);
  return order.map(({ layer, isNew }) => (isNew ? { ...kept[layer]!, keeps: -1, ...born } : kept[layer]!));
}
