import type { Tensor } from "../graph.ts";
import { elements, expectElements, expectFloats, expectInputs, expectShape, f32, lastAxis, numRows } from "../shapes.ts";
import { type OpDefinition, perElement, record } from "./definition.ts";
import type { NormOptions } from "./layerNorm.ts";
import { gainAndBiasGradients } from "./normParameterGrad.ts";
import { withAddend, withResidual } from "./residualNorm.ts";

const LAST_AXIS = "It must match the last axis of x.";

export const rmsNormOp: OpDefinition = {
  name: "rmsNorm",
  attributes: ["epsilon"],
  infer(inputs) {
    expectInputs("rmsNorm", inputs, 2, 3);
    const [x, gain, c] = inputs;
    const C = lastAxis(x.shape);
    expectFloats("rmsNorm", { x, gain, channelWeights: c });
    expectShape("rmsNorm: gain", gain, [C], LAST_AXIS);
    if (c) expectShape("rmsNorm: channelWeights", c, [C], LAST_AXIS);
    return [x, f32([numRows(x.shape)])];
  },
  gradient(context) {
    const { inputs, outputs, dy, needs } = context;
    const [x, gain, channelWeights] = inputs;
    const rstd = outputs[1];
    const dx = needs(0) ? rmsNormGrad(dy, x, rstd, gain, channelWeights) : undefined;
    return [dx, ...gainAndBiasGradients(context, { rstd, channelWeights }, false)];
  },
  flops: (inputs) => (inputs.length === 3 ? 6 : 4) * elements(inputs[0].shape),
};

export const rmsNormGradOp: OpDefinition = {
  name: "rmsNormGrad",
  attributes: [],
  infer(inputs) {
    expectInputs("rmsNormGrad", inputs, 4, 5);
    const [dy, x, rstd, gain, c] = inputs;
    const C = lastAxis(x.shape);
    expectFloats("rmsNormGrad", { dy, x, rstd, gain, channelWeights: c });
    expectShape("rmsNormGrad: dy", dy, x.shape, "It must have the shape of x.");
    expectElements("rmsNormGrad: rstd", rstd, numRows(x.shape), "It must have one value for each row of x.");
    expectShape("rmsNormGrad: gain", gain, [C], LAST_AXIS);
    if (c) expectShape("rmsNormGrad: channelWeights", c, [C], LAST_AXIS);
    return [x];
  },
  flops: perElement(8),
};

/** Made by fusion: `sum = a + b` and its RMS norm. */
export const addRmsNormOp: OpDefinition = withAddend("addRmsNorm", rmsNormOp);

/** Made by fusion: the gradient behind a norm, added to that of the residual connection around it. */
export const rmsNormGradAddOp: OpDefinition = withResidual("rmsNormGradAdd", rmsNormGradOp, 4);

/**
 * Root-mean-square norm over the last axis, with channel weights c for growth:
 * `y = c x rstd gain`, `rstd = (sum(c x^2) / sum(c) + epsilon)^-1/2`.
 *
 * @param x     activations `[..., C]`
 * @param gain  `[C]`
 * @throws {ShapeError} when gain or channel weights are not `[C]`
 * @see Zhang & Sennrich 2019, arXiv:1910.07467, section 4
 */
export function rmsNorm(x: Tensor, gain: Tensor, { epsilon = 1e-5, channelWeights }: NormOptions = {}): Tensor {
  return record(rmsNormOp, channelWeights ? [x, gain, channelWeights] : [x, gain], { epsilon })[0];
}

/**
 * Backward of `rmsNorm` for its input: `dx = rstd (a - c xhat/S sum(a xhat))`, `a = c gain dy`, `xhat = x rstd`.
 *
 * @param dy, x  `[..., C]`
 * @param rstd   `[R]`, saved by the forward pass
 */
export function rmsNormGrad(dy: Tensor, x: Tensor, rstd: Tensor, gain: Tensor, channelWeights?: Tensor): Tensor {
  const inputs = [dy, x, rstd, gain];
  return record(rmsNormGradOp, channelWeights ? [...inputs, channelWeights] : inputs)[0];
}
