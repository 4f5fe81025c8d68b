import type { ModelConfig } from "@espalier/spec/model";
import type { GrowthParts } from "../growthMap.ts";

/** What one operator of a plan acts on: `head` is key/value heads, query heads per group and head size; `depth` layers. */
export type AxisGroup = "residual" | "ffn" | "head" | "depth";

export interface OperatorOptions {
  /** Seed of which units are chosen; new values have the map's seed. */
  seed: number;
  /** New units get a gate that ramps from 0: false when the plan's ramp has no steps. */
  gates: boolean;
}

/** A growth operator: pure, from two configurations and a seed to axis maps and layers. It never sees weights. */
export interface GrowthOperator {
  name: string;
  /** One sentence for the command line and the docs. */
  summary: string;
  /** Where it is published. */
  source: string;
  groups: readonly AxisGroup[];
  /** What holds at the moment of growth, gates at 0; `proveExactness` decides, tests compare. */
  preserves: { logits: boolean; gradients: boolean };
  /** Exactness needs gates (a ramp of at least one step). */
  needsGates: boolean;
  /** Targets must be whole multiples, or otherwise divide evenly. */
  needsMultiples?: true;
  /** `preserves` holds for whole multiples only; targets in between are accepted. */
  exactAtMultiples?: true;
  /** The target with what the operator needs changed in it beside sizes; absent: nothing. */
  fit?(source: ModelConfig, target: ModelConfig): ModelConfig;
  map(group: AxisGroup, source: ModelConfig, target: ModelConfig, options: OperatorOptions): GrowthParts;
}
