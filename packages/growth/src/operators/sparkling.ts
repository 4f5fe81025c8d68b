import { expectNotSmaller } from "../axisMaps.ts";
import type { AxisMap } from "../map.ts";
import { groupAxes } from "./groupAxes.ts";
import type { GrowthOperator } from "./operator.ts";

/**
 * RMS-preserving width: units are copied in turn, and every weight that reads the axis is multiplied by one factor that
 * keeps the root mean square of what it writes: sqrt(d / (3 d' - 2 d)) up to d' = 2 d, d / d' beyond. Norm gains are
 * copied unscaled. At whole multiples this is the exact clone; in between the function is not kept.
 *
 * Moments: old entries keep theirs, copies start at zero, which is what parts the copies (the paper's ablation).
 *
 * @throws {GrowthError} when a target size is below its source
 * @see SPARKLING, arXiv:2602.02472, "copy both sides"
 */
export const sparkling: GrowthOperator = {
  name: "sparkling",
  summary: "copies units in turn and keeps the root mean square of what reads them; exact at whole multiples",
  source: "arXiv:2602.02472",
  groups: ["residual", "ffn"],
  preserves: { logits: true, gradients: true },
  needsGates: false,
  exactAtMultiples: true,
  map: (group, source, target) => ({ axes: groupAxes(group, source, target, scaledCopies) }),
};

/** Factor of the weights that read an axis of size d after it has grown to d'. */
export function rmsFactor(before: number, after: number): number {
  return after <= 2 * before ? Math.sqrt(before / (3 * after - 2 * before)) : before / after;
}

function scaledCopies(field: string, before: number, after: number): AxisMap {
  expectNotSmaller(`sparkling: ${field}`, before, after);
  const sources = Array.from({ length: after }, (_, t) => t % before);
  const factor = rmsFactor(before, after);
  return {
    sourceSize: before,
    targetSize: after,
    carry: sources.map((s) => [[s, 1]]),
    read: sources.map((s) => [[s, factor]]),
    kinds: sources.map(() => "carried"),
    keeps: sources.map((s, t) => (t < before ? s : -1)),
    gated: false,
    zero: [],
    ...(field === "residualDim" ? { normRule: "fullCopies" } : {}),
  };
}
