import type { Tensor } from "../graph.ts";
import { expectFloats, expectInputs } from "../shapes.ts";
import { type OpDefinition, perElement, record } from "./definition.ts";

export const scaleOp: OpDefinition = {
  name: "scale",
  attributes: ["factor"],
  infer(inputs) {
    expectInputs("scale", inputs, 1);
    expectFloats("scale", { x: inputs[0] });
    return [inputs[0]];
  },
  gradient: ({ dy, attributes }) => [scale(dy, attributes.factor)],
  inPlace: [[0, 0]],
  flops: perElement(1),
};

/**
 * Multiplication by a trace-time constant: `y = factor * x`. A factor of 1 records nothing and returns x, so that
 * multipliers of a configuration can be written down everywhere.
 */
export function scale(x: Tensor, factor: number): Tensor {
  return factor === 1 ? x : record(scaleOp, [x], { factor })[0];
}
