import type { ReportArm, ReportComparison } from "@espalier/spec/run";
import { bestFixed, byRole, finalModel, overSeeds, showShape } from "./comparisons.ts";

const meanLoss = (arms: readonly ReportArm[]) => arms.reduce((sum, arm) => sum + arm.finalLoss, 0) / arms.length;

/** The opening sentence: the grown run against the same shape with more FLOPs, whichever won. */
export function headline(arms: readonly ReportArm[], comparisons: readonly ReportComparison[]): string {
  const grown = byRole(arms, "growth three stages");
  const bar = byRole(arms, "scratch bar");
  const comparison = comparisons.find(({ name }) => name.startsWith("Three stages") && name.includes("more FLOPs"));
  if (!comparison || grown.length === 0 || bar.length === 0) return "The experiment is under way.";
  const shape = showShape(finalModel(grown[0]!));
  const { meanDifference, interval, perSeed } = comparison;
  const sure = interval === null ? "one seed" : `${perSeed.length} seeds`;
  const relation =
    interval !== null && interval[0] <= 0 && interval[1] >= 0
      ? "not distinguishable from"
      : meanDifference <= 0
        ? "lower than"
        : "higher than";
  return (
    `Grown in three stages, ${shape} ends at ${meanLoss(grown).toFixed(3)} nats per token, ${relation} the ` +
    `${meanLoss(bar).toFixed(3)} of the same shape trained from scratch with ${comparison.s.toFixed(2)} times the FLOPs (${sure}).`
  );
}

/** What must be read beside the headline: the best fixed shape for the same FLOPs. */
export function caveat(arms: readonly ReportArm[], numSeeds: number): string {
  const grown = byRole(arms, "growth three stages");
  const fixed = bestFixed(arms);
  if (grown.length === 0 || fixed.length === 0) return "The best fixed shape at the grown run's FLOPs is not trained yet; judge nothing before.";
  const differences = grown.flatMap((arm) => {
    const rival = fixed.find((other) => other.seed === arm.seed);
    return rival ? [arm.finalLoss - rival.finalLoss] : [];
  });
  const { mean, interval } = overSeeds(differences);
  const range = interval ? ` (95 % interval ${interval[0].toFixed(3)} to ${interval[1].toFixed(3)})` : "";
  const shape = showShape(finalModel(fixed[0]!));
  const few = numSeeds < 3 ? ` Only ${numSeeds} ${numSeeds === 1 ? "seed was" : "seeds were"} trained: no verdict here is firm.` : "";
  const verdict =
    mean > 0
      ? `The target shape is larger than this budget should be spent on: the best fixed shape of the sweep, ${shape}, given the grown run's FLOPs, ends ${mean.toFixed(3)} nats lower${range} than the grown runs. Growth saves against its own target here, not against choosing a smaller model`
      : `Even the best fixed shape of the sweep, ${shape}, given the grown run's FLOPs, ends ${(-mean).toFixed(3)} nats higher${range} than the grown runs`;
  const tokens = grown[0]!.tokens / grown[0]!.stages.at(-1)!.numParameters;
  return `${verdict}. The grown runs saw ${tokens.toFixed(1)} tokens per parameter of the final shape; savings of growth shrink as that number rises.${few}`;
}
