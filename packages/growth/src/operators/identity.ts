import { GrowthError } from "@espalier/core";
import type { ModelConfig } from "@espalier/spec/model";
import type { AxisGroup, GrowthOperator } from "./operator.ts";

const FIELDS: Record<AxisGroup, readonly (keyof ModelConfig)[]> = {
  residual: ["residualDim"],
  ffn: ["ffnDim"],
  head: ["numKvHeads", "groupSize", "headDim"],
  depth: ["numLayers"],
};

/**
 * Nothing changes: a way of saying so in a plan.
 *
 * @throws {GrowthError} when the group does change
 */
export const identity: GrowthOperator = {
  name: "identity",
  summary: "keeps the axis as it is",
  source: "",
  groups: ["residual", "ffn", "head", "depth"],
  preserves: { logits: true, gradients: true },
  needsGates: false,
  map(group, source, target) {
    const changed = FIELDS[group].find((field) => source[field] !== target[field]);
    if (changed) {
      throw new GrowthError(
        `identity (${group}): ${changed} goes from ${source[changed]} to ${target[changed]}, expected no change. ` +
          "Name an operator that grows it.",
      );
    }
    return {};
  },
};
