import type { Tensor } from "../graph.ts";
import { expectFloats, expectInputs, expectShape } from "../shapes.ts";
import { type OpDefinition, perElement, record } from "./definition.ts";

export const swigluOp: OpDefinition = {
  name: "swiglu",
  attributes: [],
  infer(inputs) {
    expectInputs("swiglu", inputs, 2);
    const [gate, up] = inputs;
    expectFloats("swiglu", { gate, up });
    expectShape("swiglu: up", up, gate.shape, "It must have the shape of gate.");
    return [gate];
  },
  gradient: ({ inputs: [gate, up], dy }) => swigluGrad(gate, up, dy),
  flops: perElement(5),
};

export const swigluGradOp: OpDefinition = {
  name: "swigluGrad",
  attributes: [],
  infer(inputs) {
    expectInputs("swigluGrad", inputs, 3);
    const [gate, up, dy] = inputs;
    expectFloats("swigluGrad", { gate, up, dy });
    expectShape("swigluGrad: up", up, gate.shape, "It must have the shape of gate.");
    expectShape("swigluGrad: dy", dy, gate.shape, "It must have the shape of gate.");
    return [gate, up];
  },
  flops: perElement(12),
};

/**
 * Gated activation of an MLP: `y = silu(gate) * up`, `silu(g) = g / (1 + exp(-g))`.
 *
 * @param gate, up  `[..., H]`, two projections of one input
 * @throws {ShapeError} when the shapes differ
 * @see Shazeer 2020, arXiv:2002.05202, equation 6
 */
export function swiglu(gate: Tensor, up: Tensor): Tensor {
  return record(swigluOp, [gate, up])[0];
}

/** Backward of `swiglu`: `dGate = dy up s (1 + gate (1 - s))`, `dUp = dy gate s`, s = 1 / (1 + exp(-gate)). */
export function swigluGrad(gate: Tensor, up: Tensor, dy: Tensor): Tensor[] {
  return record(swigluGradOp, [gate, up, dy]);
}
