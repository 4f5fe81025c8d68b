import { composeGrowth, proveExactness } from "@espalier/growth";
import type { ModelConfig } from "@espalier/spec/model";
import type { GrowthStep } from "@espalier/spec/plan";
import type { GrowthProof } from "@espalier/spec/run";

/** What is proved of a growth from its map alone, in the form that the report shows beside the measurement. */
export function growthProof(source: ModelConfig, target: ModelConfig, growth: GrowthStep): GrowthProof {
  const { logits, gradients, needsGates } = proveExactness(composeGrowth(source, target, growth));
  return {
    logits: logits.holds,
    gradients: gradients.holds,
    needsGates,
    refusals: logits.refusals.map(({ where, condition, found }) => `${where}: ${found}, expected ${condition}`),
  };
}
