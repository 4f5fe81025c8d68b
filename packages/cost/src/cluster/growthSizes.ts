import type { ClusterModel } from "./shape.ts";

/**
 * Sizes that can grow into a target: about ten widths, multiples of 512 with whole heads (so that sizes still divide by
 * 64 under tensor parallelism 8: products of other sizes run about 20 % slower), depths in eighths, of 0.6 to 1.7 times
 * the target's width a layer. Smallest first, the target last.
 */
export function growthSizes(target: ClusterModel): ClusterModel[] {
  const sizes: ClusterModel[] = [];
  const aspect = target.residualDim / target.numLayers;
  const step = Math.max(512, 512 * Math.round(target.residualDim / 10 / 512));
  const widths = new Set([target.residualDim]);
  for (let width = step; width < target.residualDim; width += step) widths.add(width);
  for (const residualDim of widths) {
    const scale = residualDim / target.residualDim;
    const [numHeads, numKvHeads, ffnDim] = [target.numHeads * scale, target.numKvHeads * scale, target.ffnDim * scale];
    if (![numHeads, numKvHeads, ffnDim].every(Number.isInteger)) continue;
    for (let eighths = 1; eighths <= 8; eighths++) {
      const numLayers = (target.numLayers * eighths) / 8;
      if (!Number.isInteger(numLayers)) continue;
      const relative = residualDim / numLayers / aspect;
      if (relative < 0.6 || relative > 1.7) continue;
      sizes.push({ ...target, numLayers, residualDim, numHeads, numKvHeads, ffnDim });
    }
  }
  const weight = (m: ClusterModel) => m.numLayers * m.residualDim ** 2;
  return sizes.toSorted((a, b) => weight(a) - weight(b));
}

/** Whether growth can lead from one size to the other: nothing shrinks, something grows. */
export function growsInto(a: ClusterModel, b: ClusterModel): boolean {
  const no = a.numLayers > b.numLayers || a.residualDim > b.residualDim || a.numHeads > b.numHeads || a.ffnDim > b.ffnDim;
  return !no && (a.numLayers < b.numLayers || a.residualDim < b.residualDim || a.ffnDim < b.ffnDim);
}
