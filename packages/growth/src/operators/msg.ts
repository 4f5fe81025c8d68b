import { GrowthError } from "@espalier/core";
import type { Axis, ModelConfig } from "@espalier/spec/model";
import { corner } from "../axisMaps.ts";
import type { AxisMap } from "../map.ts";
import { appendOrder, insertOrder, layersInOrder } from "./depthOrder.ts";
import type { AxisGroup, GrowthOperator, OperatorOptions } from "./operator.ts";

/**
 * Masked Structural Growth: the source is the leading corner of the target, new entries follow the initialisation, and
 * a gate on every new unit ramps from 0 to 1. At gate 0 the target computes what the source did, whatever the new
 * entries are, so targets are arbitrary. Norms take statistics over gated channels.
 *
 * - depth: copies appended in MSG's default order (the whole stack as often as it fits, then its last layers), each
 *   behind a gate `h <- (1 - m) h + m Block(h)`; `msgInterleave` inserts them after their source instead
 * - heads: new key/value heads with all their queries are gated. A query head added to an *old* group cannot be silenced
 *   by a gate on its query (a zero query attends evenly, it does not give zero), so its output columns start at zero
 * - head size is kept, as in the paper
 *
 * Moments: old entries keep theirs, new entries start at zero.
 *
 * @throws {GrowthError} when a target size is below its source, or the head size changes
 * @see Yao et al. 2024, arXiv:2305.02869; code github.com/cofe-ai/MSG
 */
export const msg: GrowthOperator = {
  name: "msg",
  summary: "appends new units behind gates that ramp from 0 to 1; new layers are gated copies on top",
  source: "arXiv:2305.02869",
  groups: ["residual", "ffn", "head", "depth"],
  preserves: { logits: true, gradients: true },
  needsGates: true,
  map: (group, source, target, options) =>
    group === "depth"
      ? { layers: layersInOrder(source.numLayers, appendOrder(source.numLayers, target.numLayers), { gated: options.gates }) }
      : { axes: gatedCorner(group, source, target, options) },
};

/** Masked Structural Growth of depth with each copy right after its source (`random-interpolate` in the authors' code). */
export const msgInterleave: GrowthOperator = {
  ...msg,
  name: "msgInterleave",
  summary: "new layers are gated copies, each right after its source",
  groups: ["depth"],
  map: (_, source, target, options) => ({
    layers: layersInOrder(source.numLayers, insertOrder(source.numLayers, target.numLayers), { gated: options.gates }),
  }),
};

function gatedCorner(
  group: Exclude<AxisGroup, "depth">,
  source: ModelConfig,
  target: ModelConfig,
  { gates }: OperatorOptions,
): Partial<Record<Axis, AxisMap>> {
  const silent = { kind: "silent", gated: gates } as const;
  switch (group) {
    case "residual":
      return {
        residual: corner("residualDim", source.residualDim, target.residualDim, { ...silent, normRule: "masked" }),
      };
    case "ffn":
      return { ffn: corner("ffnDim", source.ffnDim, target.ffnDim, silent) };
    case "head": {
      if (source.headDim !== target.headDim) {
        throw new GrowthError(
          `msg (head): headDim goes from ${source.headDim} to ${target.headDim}, expected no change. ` +
            "MSG adds heads of the same size: change numKvHeads or groupSize.",
        );
      }
      return {
        kvHead: corner("numKvHeads", source.numKvHeads, target.numKvHeads, silent),
        group: corner("groupSize", source.groupSize, target.groupSize, {
          kind: "free",
          gated: false,
          zero: ["attention.output.weight"],
        }),
      };
    }
  }
}
