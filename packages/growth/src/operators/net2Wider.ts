import { random } from "@espalier/core";
import { copies, expectNotSmaller } from "../axisMaps.ts";
import { groupAxes } from "./groupAxes.ts";
import type { GrowthOperator } from "./operator.ts";

/**
 * Net2WiderNet on MLP units and heads: old units keep their places, every new unit copies an old one drawn uniformly,
 * and readers divide by the number of copies. Exact for arbitrary targets. The residual stream is left out: behind a
 * norm, unequal numbers of copies change the statistics.
 *
 * @throws {GrowthError} when a target size is below its source
 * @see Chen et al. 2016, arXiv:1511.05641, equation 2
 */
export const net2Wider: GrowthOperator = {
  name: "net2Wider",
  summary: "new units copy random old ones; weights that read them are divided by the number of copies",
  source: "arXiv:1511.05641",
  groups: ["ffn", "head"],
  preserves: { logits: true, gradients: true },
  needsGates: false,
  map: (group, source, target, { seed }) => ({
    axes: groupAxes(group, source, target, (field, before, after) => {
      expectNotSmaller(`net2Wider: ${field}`, before, after);
      const choice = random(seed, "net2Wider", field);
      return copies(field, before, Array.from({ length: after }, (_, t) => (t < before ? t : choice.integer(t, before))));
    }),
  }),
};
