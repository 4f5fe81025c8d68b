import { ShapeError } from "@espalier/core";
import type { Tensor } from "../graph.ts";
import { elements, expectDtype, f32 } from "../shapes.ts";
import { type OpDefinition, record } from "./definition.ts";

export const gradNormOp: OpDefinition = {
  name: "gradNorm",
  attributes: [],
  infer(inputs) {
    inputs.forEach((input, i) => expectDtype(`gradNorm: gradient ${i}`, input, "f32"));
    return [f32([1])];
  },
  flops: (inputs) => inputs.reduce((sum, { shape }) => sum + 2 * elements(shape), 1),
};

/**
 * Euclidean norm over all gradients: `norm = sqrt(sum over tensors and elements of g^2)`.
 *
 * @param gradients  any shapes, at least one
 * @returns  `[1]`
 * @throws {ShapeError} when there is no gradient
 */
export function gradNorm(gradients: readonly Tensor[]): Tensor {
  if (gradients.length === 0) {
    throw new ShapeError("gradNorm: gradients: found 0, expected at least 1. Pass the gradients of the parameters.");
  }
  return record(gradNormOp, gradients)[0];
}
