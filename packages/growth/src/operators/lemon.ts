import { copies, expectNotSmaller } from "../axisMaps.ts";
import type { AxisMap } from "../map.ts";
import { groupAxes } from "./groupAxes.ts";
import type { GrowthOperator } from "./operator.ts";

/**
 * LEMON's circular expansion of MLP units and heads: unit t copies unit t mod n, and what reads r copies of a unit gives
 * them unequal shares, 2 i / (r (r + 1)) for the i-th, which add up to 1. Exact for arbitrary targets, and copies have
 * unequal gradients from the first step on, so that they part by themselves.
 *
 * The shares are ours (the authors draw them); their average expansion of the residual stream is not here, their depth
 * is `zeroDepth`. Moments: old entries keep theirs, copies start at zero.
 *
 * @throws {GrowthError} when a target size is below its source
 * @see Wang et al. 2024, arXiv:2310.07999, section 4
 */
export const lemon: GrowthOperator = {
  name: "lemon",
  summary: "copies units in turn; what reads the copies gives them unequal shares, so that they part",
  source: "arXiv:2310.07999",
  groups: ["ffn", "head"],
  preserves: { logits: true, gradients: true },
  needsGates: false,
  map: (group, source, target) => ({ axes: groupAxes(group, source, target, unequalCopies) }),
};

function unequalCopies(field: string, before: number, after: number): AxisMap {
  expectNotSmaller(`lemon: ${field}`, before, after);
  const sources = Array.from({ length: after }, (_, t) => t % before);
  const shares = sources.map((s, t) => {
    const numCopies = Math.ceil((after - s) / before);
    return (2 * (Math.floor(t / before) + 1)) / (numCopies * (numCopies + 1));
  });
  return copies(field, before, sources, { shares });
}
