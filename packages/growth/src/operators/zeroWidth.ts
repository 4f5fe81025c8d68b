import { GrowthError } from "@espalier/core";
import { type Axis, layoutTable, type ModelConfig } from "@espalier/spec/model";
import { corner } from "../axisMaps.ts";
import type { AxisMap } from "../map.ts";
import { groupAxes } from "./groupAxes.ts";
import type { AxisGroup, GrowthOperator } from "./operator.ts";

/**
 * Zero-initialised width, W' = [[W, A], [0, C]]: the source is the leading corner, and no gates are needed.
 *
 * - ffn, heads: new units are initialised, what reads them (down and attention output projections) is 0
 * - residual: everything that writes a new channel is 0 and what reads it is initialised. The mean square falls by C/C',
 *   so RMSNorm gains are multiplied by sqrt(C/C') and epsilon by C/C'. LayerNorm also subtracts a mean that shrinks and
 *   has no exact zero width
 *
 * Exact for arbitrary targets. Moments: old entries keep theirs, new entries start at zero.
 *
 * @throws {GrowthError} when a target size is below its source, for LayerNorm on the residual stream, or when the
 *   target's epsilon is not the scaled one
 * @see arXiv:2308.06103, table 1; "zero width" in arXiv:2405.15319, figure 3
 */
export const zeroWidth: GrowthOperator = {
  name: "zeroWidth",
  summary: "appends units that nobody reads, or nobody writes, yet; residual stream of RMSNorm models only",
  source: "arXiv:2308.06103",
  groups: ["residual", "ffn", "head"],
  preserves: { logits: true, gradients: true },
  needsGates: false,
  fit: (source, target) => ({ ...target, normEpsilon: scaledEpsilon(source, target) }),
  map: (group, source, target) => ({ axes: zeroedCorner(group, source, target) }),
};

function scaledEpsilon({ normEpsilon, residualDim }: ModelConfig, target: ModelConfig): ModelConfig["normEpsilon"] {
  const ratio = residualDim / target.residualDim;
  return { attention: normEpsilon.attention * ratio, ffn: normEpsilon.ffn * ratio, final: normEpsilon.final * ratio };
}

function zeroedCorner(group: AxisGroup, source: ModelConfig, target: ModelConfig): Partial<Record<Axis, AxisMap>> {
  if (group === "residual") expectScaledNorm(source, target);
  const writers = layoutTable(source).filter(({ axes }) => axes.some(({ axis, side }) => axis === "residual" && side === "out"));
  const added = {
    residual: { kind: "silent", gated: false, zero: writers.map(({ name }) => name), normRule: "rescaled" },
    ffn: { kind: "free", gated: false, zero: ["ffn.down.weight"] },
    head: { kind: "free", gated: false, zero: ["attention.output.weight"] },
  } as const;
  if (group === "depth") return {};
  return groupAxes(group, source, target, (field, before, after) => corner(`zeroWidth: ${field}`, before, after, added[group]));
}

function expectScaledNorm(source: ModelConfig, target: ModelConfig): void {
  if (source.residualDim === target.residualDim) return;
  if (source.family === "flm") {
    throw new GrowthError(
      "zeroWidth (residual): the model has LayerNorm, expected RMSNorm: silent channels shrink the mean that LayerNorm subtracts. Use msg or hyperCloning.",
    );
  }
  const scaled = scaledEpsilon(source, target);
  for (const norm of ["attention", "ffn", "final"] as const) {
    const wanted = scaled[norm];
    if (Math.abs(target.normEpsilon[norm] / wanted - 1) > 1e-9) {
      throw new GrowthError(
        `zeroWidth (residual): normEpsilon.${norm} of the target is ${target.normEpsilon[norm]}, expected ${wanted}: the mean square it is added to falls by C/C'. Set it.`,
      );
    }
  }
}
