import type { Tensor } from "../graph.ts";
import { elements, expectFloats, expectInputs, expectShape } from "../shapes.ts";
import { type OpDefinition, perElement, record } from "./definition.ts";

const ONE_NUMBER = "A blend has one weight for the whole tensor.";

export const blendOp: OpDefinition = {
  name: "blend",
  attributes: [],
  infer(inputs) {
    expectInputs("blend", inputs, 3);
    const [a, b, m] = inputs;
    expectFloats("blend", { a, b, m });
    expectShape("blend: b", b, a.shape, "It must have the shape of a.");
    expectShape("blend: m", m, [1], ONE_NUMBER);
    return [a];
  },
  gradient({ inputs: [, , m], dy, needs }) {
    if (!needs(0) && !needs(1)) return [];
    return blendGrad(dy, m);
  },
  inPlace: [[0, 0], [0, 1]],
  flops: perElement(3),
};

export const blendGradOp: OpDefinition = {
  name: "blendGrad",
  attributes: [],
  infer(inputs) {
    expectInputs("blendGrad", inputs, 2);
    const [dy, m] = inputs;
    expectFloats("blendGrad", { dy, m });
    expectShape("blendGrad: m", m, [1], ONE_NUMBER);
    return [dy, dy];
  },
  flops: (inputs) => 2 * elements(inputs[0].shape),
};

/**
 * Mix of two tensors: `y = (1 - m) a + m b`. With a the input and b the output of a new block, m ramps the block in.
 * m has no gradient.
 *
 * @param m  runtime `[1]`
 * @throws {ShapeError} when a and b differ in shape, or m is not `[1]`
 * @see Yao et al. 2023, Masked Structural Growth, arXiv:2305.02869
 */
export function blend(a: Tensor, b: Tensor, m: Tensor): Tensor {
  return record(blendOp, [a, b, m])[0];
}

/** Backward of `blend`: `da = (1 - m) dy`, `db = m dy`. */
export function blendGrad(dy: Tensor, m: Tensor): Tensor[] {
  return record(blendGradOp, [dy, m]);
}
