import type { GrowthMap } from "../map.ts";
import type { Refusal } from "./verdict.ts";

/**
 * Layers that are the identity at the moment of growth (zero outputs, or new and gated) drop out; what remains must be
 * the source's layers, each once, alone and in order.
 */
export function layerRefusals({ layers, source }: GrowthMap): Refusal[] {
  const live = layers
    .map((layer, i) => ({ ...layer, i }))
    .filter(({ zeroOutputs, gated, keeps }) => !zeroOutputs && !(gated && keeps < 0));
  for (const [place, { terms, i }] of live.entries()) {
    const where = `layers.${i}`;
    if (terms.length !== 1) {
      const found = terms.length === 0 ? "it is freshly initialised" : `it mixes ${terms.length} layers`;
      return [{ where, condition: "a live layer is one source layer", found }];
    }
    const [term] = terms;
    if (term!.weight !== 1 || term!.axes) {
      const found = term!.axes ? "it has axis maps of its own" : `it has weight ${term!.weight}`;
      return [{ where, condition: "a live layer is carried as it is", found }];
    }
    if (term!.layer !== place) {
      const expected = place < source.numLayers ? `source layer ${place} comes next` : "no layer is left";
      return [
        {
          where,
          condition: "live layers are the source's, each once and in order",
          found: `it runs source layer ${term!.layer} where ${expected}`,
        },
      ];
    }
  }
  if (live.length < source.numLayers) {
    return [
      {
        where: "layers",
        condition: "live layers are the source's, each once and in order",
        found: `source layer ${live.length} is missing`,
      },
    ];
  }
  return [];
}
