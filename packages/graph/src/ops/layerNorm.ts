import type { Tensor } from "../graph.ts";
import { elements, expectElements, expectFloats, expectInputs, expectShape, f32, lastAxis, numRows } from "../shapes.ts";
import { type OpDefinition, perElement, record } from "./definition.ts";
import { gainAndBiasGradients } from "./normParameterGrad.ts";
import { withAddend, withResidual } from "./residualNorm.ts";

const LAST_AXIS = "It must match the last axis of x.";

export const layerNormOp: OpDefinition = {
  name: "layerNorm",
  attributes: ["epsilon"],
  infer(inputs) {
    expectInputs("layerNorm", inputs, 3, 4);
    const [x, gain, bias, c] = inputs;
    const C = lastAxis(x.shape);
    expectFloats("layerNorm", { x, gain, bias, channelWeights: c });
    expectShape("layerNorm: gain", gain, [C], LAST_AXIS);
    expectShape("layerNorm: bias", bias, [C], LAST_AXIS);
    if (c) expectShape("layerNorm: channelWeights", c, [C], LAST_AXIS);
    const statistics = f32([numRows(x.shape)]);
    return [x, statistics, statistics];
  },
  gradient(context) {
    const { inputs, outputs, dy, needs } = context;
    const [x, gain, , channelWeights] = inputs;
    const [, mean, rstd] = outputs;
    const dx = needs(0) ? layerNormGrad(dy, x, mean, rstd, gain, channelWeights) : undefined;
    return [dx, ...gainAndBiasGradients(context, { mean, rstd, channelWeights }, true)];
  },
  flops: (inputs) => (inputs.length === 4 ? 11 : 8) * elements(inputs[0].shape),
};

export const layerNormGradOp: OpDefinition = {
  name: "layerNormGrad",
  attributes: [],
  infer(inputs) {
    expectInputs("layerNormGrad", inputs, 5, 6);
    const [dy, x, mean, rstd, gain, c] = inputs;
    const C = lastAxis(x.shape);
    const R = numRows(x.shape);
    expectFloats("layerNormGrad", { dy, x, mean, rstd, gain, channelWeights: c });
    expectShape("layerNormGrad: dy", dy, x.shape, "It must have the shape of x.");
    expectElements("layerNormGrad: mean", mean, R, "It must have one value for each row of x.");
    expectElements("layerNormGrad: rstd", rstd, R, "It must have one value for each row of x.");
    expectShape("layerNormGrad: gain", gain, [C], LAST_AXIS);
    if (c) expectShape("layerNormGrad: channelWeights", c, [C], LAST_AXIS);
    return [x];
  },
  flops: perElement(13),
};

/** Made by fusion: `sum = a + b` and its layer norm. */
export const addLayerNormOp: OpDefinition = withAddend("addLayerNorm", layerNormOp);

/** Made by fusion: the gradient behind a norm, added to that of the residual connection around it. */
export const layerNormGradAddOp: OpDefinition = withResidual("layerNormGradAdd", layerNormGradOp, 5);

export interface NormOptions {
  /** Added to the variance. Default 1e-5. */
  epsilon?: number;
  /** c `[C]`: the weight of each channel in the statistics and in the output; 1 everywhere when absent. No gradient. */
  channelWeights?: Tensor;
}

/**
 * Layer norm over the last axis, with channel weights c for growth:
 * `y = c ((x - mean) rstd gain + bias)`, `S = sum c`, `mean = sum(c x) / S`,
 * `rstd = (sum(c (x - mean)^2) / S + epsilon)^-1/2`.
 * Channels of weight 0 are silent and leave the statistics of the others alone.
 *
 * @param x     activations `[..., C]`
 * @param gain  `[C]`
 * @param bias  `[C]`
 * @throws {ShapeError} when gain, bias or channel weights are not `[C]`
 * @see Ba et al. 2016, arXiv:1607.06450; masked form: Yao et al. 2023, arXiv:2305.02869
 */
export function layerNorm(
  x: Tensor,
  gain: Tensor,
  bias: Tensor,
  { epsilon = 1e-5, channelWeights }: NormOptions = {},
): Tensor {
  const inputs = channelWeights ? [x, gain, bias, channelWeights] : [x, gain, bias];
  return record(layerNormOp, inputs, { epsilon })[0];
}

/**
 * Backward of `layerNorm` for its input: `dx = rstd (a - c/S sum a - c xhat/S sum(a xhat))`, `a = c gain dy`.
 *
 * @param dy, x  `[..., C]`
 * @param mean, rstd  `[R]`, saved by the forward pass
 */
export function layerNormGrad(
  dy: Tensor,
  x: Tensor,
  mean: Tensor,
  rstd: Tensor,
  gain: Tensor,
  channelWeights?: Tensor,
): Tensor {
  const inputs = [dy, x, mean, rstd, gain];
  return record(layerNormGradOp, channelWeights ? [...inputs, channelWeights] : inputs)[0];
}
