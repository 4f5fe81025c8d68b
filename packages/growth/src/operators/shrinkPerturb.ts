import { layoutTable } from "@espalier/spec/model";
import { corner } from "../axisMaps.ts";
import { groupAxes } from "./groupAxes.ts";
import type { GrowthOperator } from "./operator.ts";

/** Lambda of the earlier of the two papers, from a second-hand account. */
const SHRINK = 0.4;

/**
 * Shrink, zero-pad, perturb: W' = pad(0.4 W) + W_init with W_init drawn as the target's initialisation says. Constants
 * (norm gains, biases) shrink towards their initial value instead. Touches every tensor of the model, whichever axis
 * grows. Not function preserving; no symmetry to break, any architecture, and under muP the rate transfers.
 *
 * @throws {GrowthError} when a target size is below its source
 * @see arXiv:2411.07340, arXiv:2605.13405
 */
export const shrinkPerturb: GrowthOperator = {
  name: "shrinkPerturb",
  summary: "shrinks every weight to 0.4, pads with zeros and adds a fresh initialisation",
  source: "arXiv:2605.13405",
  groups: ["residual", "ffn", "head"],
  preserves: { logits: false, gradients: false },
  needsGates: false,
  map(group, source, target) {
    const drawn = layoutTable(source).filter(({ init }) => init.kind !== "constant").map(({ name }) => name);
    const pad = (field: string, before: number, after: number) =>
      corner(`shrinkPerturb: ${field}`, before, after, { kind: "free", gated: false, zero: drawn });
    return { axes: groupAxes(group, source, target, pad), perturbation: { shrink: SHRINK, noise: 1 } };
  },
};
