import { ConfigError } from "@espalier/core";
import type { Tensor } from "../graph.ts";
import { elements, expectElements, expectFloats, expectInputs, expectShape, f32, lastAxis, numRows } from "../shapes.ts";
import {
  type GradientContext,
  type GradientTarget,
  type OpDefinition,
  record,
  withFlag,
  withoutFlag,
} from "./definition.ts";

export const normParameterGradOp: OpDefinition = {
  name: "normParameterGrad",
  attributes: ["accumulate", "hasMean", "hasChannelWeights"],
  infer(inputs, attributes) {
    const { hasMean, hasChannelWeights } = attributes;
    const plain = withoutFlag("normParameterGrad", inputs, attributes);
    expectInputs("normParameterGrad", plain, 3 + hasMean + hasChannelWeights);
    const [dy, x] = plain;
    const mean = hasMean ? plain[2] : undefined;
    const rstd = plain[2 + hasMean];
    const c = hasChannelWeights ? plain[3 + hasMean] : undefined;
    const C = lastAxis(x.shape);
    const R = numRows(x.shape);
    expectFloats("normParameterGrad", { dy, x, mean, rstd, c });
    expectShape("normParameterGrad: dy", dy, x.shape, "It must have the shape of x.");
    if (mean) expectElements("normParameterGrad: mean", mean, R, "It must have one value for each row of x.");
    expectElements("normParameterGrad: rstd", rstd, R, "It must have one value for each row of x.");
    if (c) expectShape("normParameterGrad: c", c, [C], "It must match the last axis of x.");
    return hasMean ? [f32([C]), f32([C])] : [f32([C])];
  },
  flops: (inputs) => 5 * elements(inputs[0].shape),
};

/** What a norm saved in its forward pass. */
export interface NormStatistics {
  /** `[R]`; absent for RMSNorm. */
  mean?: Tensor;
  /** `[R]` */
  rstd: Tensor;
  /** c `[C]` */
  channelWeights?: Tensor;
}

/**
 * Gradients of a norm's gain and bias: `dGain = sum over rows of c xhat dy`, `dBias = sum over rows of c dy`, with
 * `xhat = (x - mean) rstd`, or `x rstd` without a mean (then there is no bias).
 *
 * @param dy, x  `[..., C]`
 * @param into  owned gradients `[C]` to write; a missing one becomes a fresh tensor
 * @returns  dGain and, with a mean, dBias
 */
export function normParameterGrad(
  dy: Tensor,
  x: Tensor,
  { mean, rstd, channelWeights }: NormStatistics,
  { accumulate, flag }: GradientTarget,
  into: readonly (Tensor | undefined)[],
): Tensor[] {
  const inputs = [dy, x, ...(mean ? [mean] : []), rstd, ...(channelWeights ? [channelWeights] : [])];
  const attributes = { accumulate, hasMean: mean ? 1 : 0, hasChannelWeights: channelWeights ? 1 : 0 };
  return record(normParameterGradOp, withFlag(inputs, { accumulate, flag }), attributes, into);
}

/** The part of a norm's gradient rule that concerns gain (input 1) and bias (input 2): nothing when neither needs one. */
export function gainAndBiasGradients(
  { inputs: [x], dy, needs, target }: GradientContext,
  statistics: NormStatistics,
  hasBias: boolean,
): (Tensor | undefined)[] {
  const wanted = hasBias ? [needs(1), needs(2)] : [needs(1)];
  if (!wanted.includes(true)) return [];
  const targets = wanted.map((need, i) => (need ? target(i + 1) : undefined));
  const [first, second] = targets.filter((each) => each !== undefined);
  if (second && second.accumulate !== first.accumulate) {
    throw new ConfigError(
      `normParameterGrad: gain and bias: accumulate modes are ${first.accumulate} and ${second.accumulate}, expected ` +
        "equal ones. Use a norm's gain and bias always together, and differentiate both or pass one as not learned.",
    );
  }
  const into = targets.map((each) => each?.tensor);
  const gradients = normParameterGrad(dy, x, statistics, first, into);
  return gradients.map((gradient, i) => (wanted[i] ? gradient : undefined));
}
