import { meanEstimate } from "@espalier/evals";
import type { ModelConfig } from "@espalier/spec/model";
import type { ArmRole, ReportArm, ReportComparison } from "@espalier/spec/run";

export const sameShape = (a: ModelConfig, b: ModelConfig): boolean => JSON.stringify(a) === JSON.stringify(b);
export const finalModel = (arm: ReportArm): ModelConfig => arm.stages.at(-1)!.model;
export const showShape = (model: ModelConfig): string => `L${model.numLayers} C${model.residualDim}`;
export const byRole = (arms: readonly ReportArm[], role: ArmRole): ReportArm[] => arms.filter((arm) => arm.role === role);

/** Runs of the fixed shape that ended lowest in the sweep (first seed), one a seed. */
export function bestFixed(arms: readonly ReportArm[]): ReportArm[] {
  const fixed = byRole(arms, "best fixed shape");
  if (fixed.length === 0) return [];
  const firstSeed = Math.min(...fixed.map((arm) => arm.seed));
  const best = fixed.filter((arm) => arm.seed === firstSeed).reduce((a, b) => (b.finalLoss < a.finalLoss ? b : a));
  return fixed.filter((arm) => sameShape(finalModel(arm), finalModel(best)));
}

/** Mean and 95 % t interval over seeds; no interval with fewer than two. */
export function overSeeds(values: readonly number[]): { mean: number; interval: readonly [number, number] | null } {
  if (values.length < 2) return { mean: values[0]!, interval: null };
  const { mean, interval } = meanEstimate(values);
  return { mean, interval: [interval[0], interval[1]] };
}

const signed = (value: number) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value).toFixed(4)}`;

function compare(name: string, grown: readonly ReportArm[], controls: readonly ReportArm[]): ReportComparison[] {
  const perSeed = grown.flatMap((arm) => {
    const control = controls.find((other) => other.seed === arm.seed);
    return control ? [{ seed: arm.seed, grown: arm.finalLoss, control: control.finalLoss, passed: arm.finalLoss <= control.finalLoss }] : [];
  });
  if (perSeed.length === 0) return [];
  const { mean, interval } = overSeeds(perSeed.map((row) => row.grown - row.control));
  const s = controls[0]!.flops / grown[0]!.flops;
  const won = perSeed.filter((row) => row.passed).length;
  const sure = interval
    ? `95 % interval ${signed(interval[0])} to ${signed(interval[1])} over ${perSeed.length} seeds`
    : "one seed, so no interval";
  const sentence =
    `The grown run ends at or below the control in ${won} of ${perSeed.length} ${perSeed.length === 1 ? "seed" : "seeds"}; ` +
    `mean difference ${signed(mean)} nats (${sure}). The control had ${s.toFixed(2)} times the grown run's FLOPs.`;
  return [{ name, s, perSeed, meanDifference: mean, interval, sentence }];
}

/** Every growth arm against every control, paired by seed. */
export function comparisons(arms: readonly ReportArm[]): ReportComparison[] {
  const growths = [
    { label: "Three stages (MSG)", runs: byRole(arms, "growth three stages") },
    { label: "One hop in depth", runs: byRole(arms, "growth one hop") },
  ];
  const controls = [
    { label: "the same shape from scratch with more FLOPs", runs: byRole(arms, "scratch bar") },
    { label: "the best fixed shape at equal FLOPs", runs: bestFixed(arms) },
    { label: "the same shape from scratch on equal tokens, the paper's comparison", runs: byRole(arms, "scratch equal tokens") },
  ];
  return controls.flatMap((control) =>
    growths
      // Tokens are equal only for the run that they were counted from.
      .filter(({ runs }) => runs.length > 0 && (control.runs[0]?.role !== "scratch equal tokens" || runs[0]!.tokens === control.runs[0].tokens))
      .flatMap((growth) => compare(`${growth.label} against ${control.label}`, growth.runs, control.runs)),
  );
}
