import type { Tensor } from "../graph.ts";
import { expectFloats, expectInputs, expectShape } from "../shapes.ts";
import { type OpDefinition, perElement, record } from "./definition.ts";

export const addOp: OpDefinition = {
  name: "add",
  attributes: [],
  infer(inputs) {
    expectInputs("add", inputs, 2);
    const [a, b] = inputs;
    expectFloats("add", { a, b });
    expectShape("add: b", b, a.shape, "It must have the shape of a.");
    return [a];
  },
  gradient: ({ dy }) => [dy, dy],
  inPlace: [[0, 0], [0, 1]],
  flops: perElement(1),
};

/**
 * Sum of two tensors of one shape: `y = a + b`. Used for residual connections and for gradients of shared values.
 *
 * @throws {ShapeError} when the shapes differ
 */
export function add(a: Tensor, b: Tensor): Tensor {
  return record(addOp, [a, b])[0];
}
