import type { Tensor } from "../graph.ts";
import {
  type TensorType,
  elements,
  expectDtype,
  expectElements,
  expectFloats,
  expectInputs,
  expectRank,
  expectShape,
  f32,
  lastAxis,
  numRows,
} from "../shapes.ts";
import { type GradientTarget, type OpDefinition, fresh, record, withFlag, withoutFlag } from "./definition.ts";

function checkInputs(op: string, [x, head, targets, weights]: readonly TensorType[]): number {
  const R = numRows(x.shape);
  expectFloats(op, { x, head, weights });
  expectDtype(`${op}: targets`, targets, "i32");
  expectRank(`${op}: head`, head, 2, "[V, C], one row a token");
  expectShape(`${op}: head`, head, [head.shape[0], lastAxis(x.shape)], "Its columns must match the last axis of x.");
  expectElements(`${op}: targets`, targets, R, "It must have one target for each row of x.");
  expectElements(`${op}: weights`, weights, R, "It must have one weight for each row of x.");
  return R;
}

/** Multiply-adds of one pass over the logits: R V C. */
function numProducts([x, head]: readonly TensorType[]): number {
  return numRows(x.shape) * elements(head.shape);
}

/** Exponential, sum and comparison of every logit. */
function numLogitOps([x, head]: readonly TensorType[]): number {
  return 3 * numRows(x.shape) * head.shape[0];
}

export const linearCrossEntropyOp: OpDefinition = {
  name: "linearCrossEntropy",
  attributes: ["factor"],
  optional: ["bf16"],
  infer(inputs) {
    expectInputs("linearCrossEntropy", inputs, 4);
    const rows = f32([checkInputs("linearCrossEntropy", inputs)]);
    return [f32([1]), rows, rows, rows];
  },
  lossGradient({ inputs: [x, head, targets, weights], outputs, attributes, needs, target }) {
    const { factor, bf16 = 0 } = attributes;
    const [dx, dHead] = linearCrossEntropyGrad(
      x,
      head,
      targets,
      weights,
      outputs[3],
      { factor, bf16: bf16 === 1 },
      needs(1) ? target(1) : fresh,
    );
    return [needs(0) ? dx : undefined, needs(1) ? dHead : undefined];
  },
  flops: (inputs) => 2 * numProducts(inputs) + numLogitOps(inputs),
};

export const linearCrossEntropyGradOp: OpDefinition = {
  name: "linearCrossEntropyGrad",
  attributes: ["factor", "accumulate"],
  optional: ["bf16"],
  infer(inputs, attributes) {
    const plain = withoutFlag("linearCrossEntropyGrad", inputs, attributes);
    expectInputs("linearCrossEntropyGrad", plain, 5);
    const R = checkInputs("linearCrossEntropyGrad", plain);
    expectElements("linearCrossEntropyGrad: lse", plain[4], R, "It is saved by the forward pass.");
    return [plain[0], plain[1]];
  },
  flops: (inputs) => 6 * numProducts(inputs) + numLogitOps(inputs),
};

export const linearCrossEntropyWithGradOp: OpDefinition = {
  name: "linearCrossEntropyWithGrad",
  attributes: ["factor", "accumulate"],
  optional: ["bf16"],
  infer(inputs, attributes) {
    const plain = withoutFlag("linearCrossEntropyWithGrad", inputs, attributes);
    expectInputs("linearCrossEntropyWithGrad", plain, 4);
    const rows = f32([checkInputs("linearCrossEntropyWithGrad", plain)]);
    return [f32([1]), rows, rows, rows, plain[0], plain[1]];
  },
  flops: (inputs) => 6 * numProducts(inputs) + numLogitOps(inputs),
};

export interface LinearCrossEntropyOptions {
  /** Multiplies the logits: the logits multiplier of a configuration. Default 1. */
  factor?: number;
  /** Round x, head and the gradient of the logits to bf16 before they are multiplied. Default: the precision of the graph. */
  bf16?: boolean;
}

export interface LinearCrossEntropy {
  /** `[1]`: sum of weights * tokenLoss; nats per token when the weights sum to 1. */
  loss: Tensor;
  /** `[R]`: `lse - logit[target]` in nats, unweighted; 0 where the target is negative. */
  tokenLoss: Tensor;
  /** `[R]`: 1 where the target is the first largest logit, else 0. */
  greedy: Tensor;
  /** `[R]`: log-sum-exp of the logits. */
  lse: Tensor;
}

/**
 * The language-model head and its loss in one op: `logits = factor x head^T`, taken in chunks of the vocabulary, so
 * that no logits stay in memory.
 *
 * @param x        final hidden states `[..., C]`, R rows
 * @param head     `[V, C]`; a tied head is the embedding table
 * @param targets  i32, R elements; negative for positions without a target
 * @param weights  R elements; 1 / (number of targets in the step) gives the mean loss
 * @throws {ShapeError} when sizes do not fit together
 * @see Wijmans et al. 2024, Cut Your Losses, arXiv:2411.09009 (loss without stored logits)
 */
export function linearCrossEntropy(
  x: Tensor,
  head: Tensor,
  targets: Tensor,
  weights: Tensor,
  { factor = 1, bf16 = x.graph.precision === "bf16" }: LinearCrossEntropyOptions = {},
): LinearCrossEntropy {
  const [loss, tokenLoss, greedy, lse] = record(linearCrossEntropyOp, [x, head, targets, weights], { factor, bf16: +bf16 });
  return { loss, tokenLoss, greedy, lse };
}

/**
 * Backward of `linearCrossEntropy` for an upstream gradient of 1: with
 * `g = weights (exp(logits - lse) - onehot(target))`, `dx = factor g head`, `dHead = factor g^T x`.
 *
 * @returns  dx like x, dHead `[V, C]`
 */
export function linearCrossEntropyGrad(
  x: Tensor,
  head: Tensor,
  targets: Tensor,
  weights: Tensor,
  lse: Tensor,
  { factor = 1, bf16 = x.graph.precision === "bf16" }: LinearCrossEntropyOptions = {},
  target: GradientTarget = fresh,
): Tensor[] {
  const inputs = withFlag([x, head, targets, weights, lse], target);
  const attributes = { factor, accumulate: target.accumulate, bf16: +bf16 };
  return record(linearCrossEntropyGradOp, inputs, attributes, [undefined, target.tensor]);
}
