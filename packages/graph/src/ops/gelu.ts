import type { Tensor } from "../graph.ts";
import { expectFloats, expectInputs, expectShape } from "../shapes.ts";
import { type OpDefinition, perElement, record } from "./definition.ts";

export const geluOp: OpDefinition = {
  name: "gelu",
  attributes: [],
  infer(inputs) {
    expectInputs("gelu", inputs, 1);
    expectFloats("gelu", { x: inputs[0] });
    return [inputs[0]];
  },
  gradient: ({ inputs: [x], dy }) => [geluGrad(x, dy)],
  inPlace: [[0, 0]],
  flops: perElement(9),
};

export const geluGradOp: OpDefinition = {
  name: "geluGrad",
  attributes: [],
  infer(inputs) {
    expectInputs("geluGrad", inputs, 2);
    const [x, dy] = inputs;
    expectFloats("geluGrad", { x, dy });
    expectShape("geluGrad: dy", dy, x.shape, "It must have the shape of x.");
    return [x];
  },
  inPlace: [[0, 1]],
  flops: perElement(17),
};

/**
 * Gaussian error linear unit, tanh form: `y = 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`.
 *
 * @see Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2
 */
export function gelu(x: Tensor): Tensor {
  return record(geluOp, [x])[0];
}

/**
 * Backward of `gelu`: `dx = dy (0.5 (1 + t) + 0.5 x (1 - t^2) u')`, `t = tanh(u)`,
 * `u = sqrt(2/pi) (x + 0.044715 x^3)`, `u' = sqrt(2/pi) (1 + 3 * 0.044715 x^2)`.
 */
export function geluGrad(x: Tensor, dy: Tensor): Tensor {
  return record(geluGradOp, [x, dy])[0];
}
