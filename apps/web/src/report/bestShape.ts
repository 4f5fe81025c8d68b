import type { ReportArm } from "@espalier/spec/run";

/** The shape of the sweep that was trained with further seeds, or where there are none, the one that ends lowest so far. */
export function isBestShape(arm: ReportArm, arms: readonly ReportArm[]): boolean {
  const sweep = arms.filter(({ role }) => role === "best fixed shape");
  const best = sweep.find(({ id }) => id.startsWith("fixed/best")) ?? sweep.toSorted((a, b) => a.finalLoss - b.finalLoss)[0];
  if (!best) return false;
  const [a, b] = [arm, best].map(({ stages }) => stages.at(-1)!.model);
  return a!.numLayers === b!.numLayers && a!.residualDim === b!.residualDim;
}
