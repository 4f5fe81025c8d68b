import type { Tensor } from "../graph.ts";
import { expectFloats, expectInputs, expectShape, lastAxis } from "../shapes.ts";
import { columnSum } from "./columnSum.ts";
import { type OpDefinition, perElement, record } from "./definition.ts";

export const addBiasOp: OpDefinition = {
  name: "addBias",
  attributes: [],
  infer(inputs) {
    expectInputs("addBias", inputs, 2);
    const [x, bias] = inputs;
    expectFloats("addBias", { x, bias });
    expectShape("addBias: bias", bias, [lastAxis(x.shape)], "It must match the last axis of x.");
    return [x];
  },
  gradient: ({ dy, needs, target }) => [dy, needs(1) ? columnSum(dy, target(1)) : undefined],
  inPlace: [[0, 0]],
  flops: perElement(1),
};

/**
 * A bias on the last axis: `y[..., n] = x[..., n] + bias[n]`.
 *
 * @param x     activations `[..., N]`
 * @param bias  `[N]`
 * @throws {ShapeError} when `bias` is not `[N]`
 */
export function addBias(x: Tensor, bias: Tensor): Tensor {
  return record(addBiasOp, [x, bias])[0];
}
