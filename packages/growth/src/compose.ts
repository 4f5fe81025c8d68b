import type { ModelConfig } from "@espalier/spec/model";
import type { GrowthStep } from "@espalier/spec/plan";
import { type GrowthParts, growthMap } from "./growthMap.ts";
import type { GrowthMap } from "./map.ts";
import type { AxisGroup } from "./operators/operator.ts";
import { operatorNamed } from "./operators/table.ts";

/**
 * The map of one growth event of a plan: one operator an axis group, all at once. Pure: equal arguments give equal maps.
 *
 * @param step operators by axis group; `rampSteps` 0 leaves the gates out
 * @throws {GrowthError} when an operator is unknown or does not fit its group, a target is smaller than its source, or
 *   an axis changes that no operator is named for
 */
export function composeGrowth(
  source: ModelConfig,
  target: ModelConfig,
  step: Pick<GrowthStep, "operators" | "rampSteps" | "seed">,
): GrowthMap {
  const parts = (Object.entries(step.operators) as [AxisGroup, string][]).map(([group, name]) =>
    operatorNamed(name, group).map(group, source, target, { seed: step.seed, gates: step.rampSteps > 0 }),
  );
  const layers = parts.find((part) => part.layers)?.layers;
  const perturbation = parts.find((part) => part.perturbation)?.perturbation;
  const combined: GrowthParts = {
    axes: Object.assign({}, ...parts.map(({ axes }) => axes)),
    ...(layers ? { layers } : {}),
    ...(perturbation ? { perturbation } : {}),
    operators: step.operators as Record<string, string>,
  };
  return growthMap(source, target, combined, step.seed);
}

/**
 * The target with what its operators need changed in it beside sizes (an epsilon that must be scaled, for one), for
 * callers that name sizes only.
 *
 * @throws {GrowthError} when an operator is unknown or does not fit its group
 */
export function fittedTarget(source: ModelConfig, target: ModelConfig, operators: GrowthStep["operators"]): ModelConfig {
  return (Object.entries(operators) as [AxisGroup, string][]).reduce(
    (fitted, [group, name]) => operatorNamed(name, group).fit?.(source, fitted) ?? fitted,
    target,
  );
}
