import { copies, wholeFactor } from "../axisMaps.ts";
import { groupAxes } from "./groupAxes.ts";
import type { GrowthOperator } from "./operator.ts";

/**
 * HyperCloning: every unit of an axis is copied `factor` times in turn, and readers split their weight evenly.
 *
 * Preserves logits up to rounding: D only selects, readers split their weight, and full copies keep norm statistics.
 * A tied head reads the cloned embedding, so the final norm is divided by `factor`, unless muP's multiplier already
 * does it. Heads are multiplied, head size is kept. The variant with noise is not here.
 *
 * Not broken: the symmetry between clones. Old units keep their moments and copies start at zero, which is enough for
 * them to part (SPARKLING, arXiv:2602.02472, section on optimiser state).
 *
 * @throws {GrowthError} when a target size is not an integer multiple of its source
 * @see Samragh et al. 2024, arXiv:2409.12903
 */
export const hyperCloning: GrowthOperator = {
  name: "hyperCloning",
  summary: "copies every unit a whole number of times and splits the weights that read it",
  source: "arXiv:2409.12903",
  groups: ["residual", "ffn", "head"],
  preserves: { logits: true, gradients: true },
  needsGates: false,
  needsMultiples: true,
  map: (group, source, target) => ({
    axes: groupAxes(group, source, target, (field, before, after) => {
      const factor = wholeFactor(`hyperCloning: ${field}`, before, after);
      const sources = Array.from({ length: factor * before }, (_, t) => t % before);
      return copies(field, before, sources, group === "residual" ? { normRule: "fullCopies" } : {});
    }),
  }),
};
