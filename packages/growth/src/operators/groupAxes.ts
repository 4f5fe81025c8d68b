import type { Axis, ModelConfig } from "@espalier/spec/model";
import type { AxisMap } from "../map.ts";
import type { AxisGroup } from "./operator.ts";

/** Sizes of a configuration that a width operator grows, one an axis. Head size is kept. */
const SIZES = {
  residual: { residual: "residualDim" },
  ffn: { ffn: "ffnDim" },
  head: { kvHead: "numKvHeads", group: "groupSize" },
  depth: {},
} as const satisfies Record<AxisGroup, Partial<Record<Axis, keyof ModelConfig>>>;

/** The axes of a group, each with the map that an operator makes of its name and its size before and after. */
export function groupAxes(
  group: AxisGroup,
  source: ModelConfig,
  target: ModelConfig,
  make: (field: "residualDim" | "ffnDim" | "numKvHeads" | "groupSize", before: number, after: number) => AxisMap,
): Partial<Record<Axis, AxisMap>> {
  return Object.fromEntries(Object.entries(SIZES[group]).map(([axis, field]) => [axis, make(field, source[field], target[field])]));
}
