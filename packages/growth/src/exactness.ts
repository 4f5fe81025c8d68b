import type { Axis } from "@espalier/spec/model";
import { axisGradientRefusals, axisRefusals } from "./exactness/axes.ts";
import { headSizeGradientRefusals, headSizeRefusals } from "./exactness/headSize.ts";
import { layerRefusals } from "./exactness/layers.ts";
import { multiplierRefusals } from "./exactness/multipliers.ts";
import { normGradientRefusals, normRefusals } from "./exactness/norms.ts";
import type { Exactness, Refusal } from "./exactness/verdict.ts";
import type { AxisMap, GrowthMap } from "./map.ts";

/**
 * Proves or refutes, before a number moves, that a growth preserves the logits and carries the gradients.
 *
 * Logits: every tensor satisfies `W' D_in = D_out W` on live units, which holds when readers get every source unit back
 * (N D = I) and new units are silent or free; D only selects or zeroes where a nonlinearity stands; norms keep their
 * statistics; rotary pairs keep their frequency; multipliers are made up for once; and live layers are the source's in
 * order. Gradients: the same, and backward too (N carries what D carries, evenly behind norms).
 *
 * Works on the sparse maps alone; the weights are never looked at. Refuted means: not exact by these rules. For a few
 * weights a refuted map may still happen to keep the logits.
 */
export function proveExactness(map: GrowthMap): Exactness {
  const axes = (Object.entries(map.axes) as [Axis, AxisMap][]).filter(([axis]) => axis !== "headSize");
  const logits: Refusal[] = [
    ...axes.flatMap(([axis, axisMap]) => axisRefusals(map, axis, axisMap)),
    ...headSizeRefusals(map),
    ...normRefusals(map),
    ...multiplierRefusals(map),
    ...layerRefusals(map),
    ...perturbationRefusals(map),
  ];
  const gradients: Refusal[] = [
    ...logits,
    ...axes.flatMap(([axis, axisMap]) => axisGradientRefusals(axis, axisMap)),
    ...headSizeGradientRefusals(map),
    ...normGradientRefusals(map),
    ...untyingRefusals(map),
  ];
  return {
    logits: { holds: logits.length === 0, refusals: logits },
    gradients: { holds: gradients.length === 0, refusals: gradients },
    needsGates:
      map.layers.some(({ gated }) => gated) || axes.some(([, { gated, kinds }]) => gated && kinds.includes("silent")),
  };
}

/** An untied head takes its part of the one gradient that both uses had. */
function untyingRefusals({ source, target }: GrowthMap): Refusal[] {
  if (source.tiedHead === target.tiedHead) return [];
  return [
    {
      where: "embedding.weight, head.weight",
      condition: "every tensor keeps its own gradient",
      found: "the head is untied: the old gradient is the sum of the two new ones",
    },
  ];
}

function perturbationRefusals({ perturbation }: GrowthMap): Refusal[] {
  if (!perturbation || (perturbation.shrink === 1 && perturbation.noise === 0)) return [];
  return [
    {
      where: "every tensor",
      condition: "F touches new entries only",
      found: `all entries are scaled by ${perturbation.shrink} and get noise of ${perturbation.noise} initial standard deviations`,
    },
  ];
}
