import type { Tensor } from "../graph.ts";
import { expectFloats, expectInputs, expectShape } from "../shapes.ts";
import { type OpDefinition, perElement, record } from "./definition.ts";

export const geluErfOp: OpDefinition = {
  name: "geluErf",
  attributes: [],
  infer(inputs) {
    expectInputs("geluErf", inputs, 1);
    expectFloats("geluErf", { x: inputs[0] });
    return [inputs[0]];
  },
  gradient: ({ inputs: [x], dy }) => [geluErfGrad(x, dy)],
  inPlace: [[0, 0]],
  flops: perElement(20),
};

export const geluErfGradOp: OpDefinition = {
  name: "geluErfGrad",
  attributes: [],
  infer(inputs) {
    expectInputs("geluErfGrad", inputs, 2);
    const [x, dy] = inputs;
    expectFloats("geluErfGrad", { x, dy });
    expectShape("geluErfGrad: dy", dy, x.shape, "It must have the shape of x.");
    return [x];
  },
  inPlace: [[0, 1]],
  flops: perElement(23),
};

/**
 * Gaussian error linear unit, exact form: `y = x Phi(x)`, `Phi(x) = 0.5 (1 + erf(x / sqrt(2)))` the normal distribution
 * function.
 *
 * @see Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2
 */
export function geluErf(x: Tensor): Tensor {
  return record(geluErfOp, [x])[0];
}

/** Backward of `geluErf`: `dx = dy (Phi(x) + x phi(x))`, `phi(x) = exp(-x^2 / 2) / sqrt(2 pi)`. */
export function geluErfGrad(x: Tensor, dy: Tensor): Tensor {
  return record(geluErfGradOp, [x, dy])[0];
}
