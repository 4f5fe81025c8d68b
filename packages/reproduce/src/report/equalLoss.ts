import { equalLossMultiplier, type LossPoint, pointsOnTrend } from "@espalier/cost";
import type { ReportArm, ReproductionReport } from "@espalier/spec/run";
import { bestFixed, byRole, finalModel, overSeeds, sameShape, showShape } from "./comparisons.ts";

type EqualLossRow = ReproductionReport["equalLoss"][number];

/** Finished runs of one shape, pilots at the chosen rate included: mean loss over seeds at each amount of FLOPs. */
function finishedRuns(arms: readonly ReportArm[], like: ReportArm): LossPoint[] {
  const runs = arms.filter(
    (arm) => arm.growths.length === 0 && sameShape(finalModel(arm), finalModel(like)) && arm.learningRate === like.learningRate,
  );
  return [...Map.groupBy(runs, (arm) => arm.flops)]
    .map(([flops, group]) => ({ flops, loss: group.reduce((sum, arm) => sum + arm.finalLoss, 0) / group.length }))
    .toSorted((a, b) => a.flops - b.flops);
}

function row(arm: string, reference: string, grown: readonly ReportArm[], points: readonly LossPoint[]): EqualLossRow {
  const readings = equalLossMultiplier(points, grown.map(({ flops, finalLoss }) => ({ flops, loss: finalLoss })));
  const inside = readings.flatMap(({ multiplier }) => (multiplier === null ? [] : [multiplier]));
  const runs = `${points.length} finished ${points.length === 1 ? "run" : "runs"} of the reference`;
  if (inside.length < readings.length) {
    const lowest = Math.min(...points.map((point) => point.loss));
    const outside = readings.filter(({ multiplier }) => multiplier === null);
    const side = outside.every(({ loss }) => loss < lowest)
      ? "below all of them: the reference never got there"
      : outside.every(({ loss }) => loss > lowest)
        ? "above all of them: even the cheapest reference was better"
        : "on both sides of them";
    return { arm, reference, multiplier: null, interval: null, note: `${runs}; the grown loss lies ${side}. Not extrapolated.` };
  }
  const { mean, interval } = overSeeds(inside);
  return { arm, reference, multiplier: mean, interval, note: `interpolated between ${runs}, ${inside.length === 1 ? "one seed" : `mean over ${inside.length} seeds`}` };
}

/** FLOPs of each reference over those of each growth arm at the grown loss; above 1 growth was cheaper. */
export function equalLossRows(arms: readonly ReportArm[]): EqualLossRow[] {
  const scratch = byRole(arms, "scratch bar")[0];
  const fixed = bestFixed(arms)[0];
  return (["growth three stages", "growth one hop"] as const).flatMap((role) => {
    const grown = byRole(arms, role);
    if (grown.length === 0) return [];
    return [
      ...(scratch ? [row(role, `${showShape(finalModel(scratch))} from scratch`, grown, finishedRuns(arms, scratch))] : []),
      ...(fixed ? [row(role, `${showShape(finalModel(fixed))}, the best fixed shape`, grown, finishedRuns(arms, fixed))] : []),
    ];
  });
}

/** Our multipliers against the shape from scratch beside the published ones. */
export function trendPoints(rows: readonly EqualLossRow[], arms: readonly ReportArm[]): ReproductionReport["trend"] {
  const ours = rows.flatMap(({ arm, reference, multiplier }) => {
    if (multiplier === null || !reference.endsWith("from scratch")) return [];
    return [{ name: `this run: ${arm}`, flops: byRole(arms, arm as ReportArm["role"])[0]!.flops, multiplier }];
  });
  return pointsOnTrend(ours);
}
