import type { Tensor } from "../graph.ts";
import { expectFloats, expectInputs, expectShape, lastAxis } from "../shapes.ts";
import { type OpDefinition, perElement, record } from "./definition.ts";

export const scaleColumnsOp: OpDefinition = {
  name: "scaleColumns",
  attributes: [],
  infer(inputs) {
    expectInputs("scaleColumns", inputs, 2);
    const [x, gate] = inputs;
    expectFloats("scaleColumns", { x, gate });
    expectShape("scaleColumns: gate", gate, [lastAxis(x.shape)], "It must match the last axis of x.");
    return [x];
  },
  gradient: ({ inputs: [, gate], dy, needs }) => [needs(0) ? scaleColumns(dy, gate) : undefined],
  inPlace: [[0, 0]],
  flops: perElement(1),
};

/**
 * A gate on the last axis: `y[..., n] = x[..., n] * gate[n]`. Gates are set by a growth schedule, not learned: they
 * have no gradient.
 *
 * @param x     activations `[..., N]`
 * @param gate  runtime vector `[N]`, 0 for silent units, 1 for grown ones
 * @throws {ShapeError} when `gate` is not `[N]`
 * @see Yao et al. 2023, Masked Structural Growth, arXiv:2305.02869
 */
export function scaleColumns(x: Tensor, gate: Tensor): Tensor {
  return record(scaleColumnsOp, [x, gate])[0];
}
