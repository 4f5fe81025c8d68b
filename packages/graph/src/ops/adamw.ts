import { ShapeError } from "@espalier/core";
import type { Tensor } from "../graph.ts";
import { elements, expectDtype, expectFloats, expectInputs, expectRank, expectShape, showShape } from "../shapes.ts";
import { type OpDefinition, record } from "./definition.ts";

export const adamwOp: OpDefinition = {
  name: "adamw",
  attributes: ["beta1", "beta2", "epsilon", "weightDecay", "rateScale"],
  optional: ["stochasticSeed"],
  infer(inputs, { stochasticSeed }) {
    expectInputs("adamw", inputs, 4, 6);
    const [grad, norm, step, births, rowBirth, colBirth] = inputs;
    expectFloats("adamw", { grad, norm, step, births });
    expectShape("adamw: norm", norm, [1], "Pass the output of gradNorm.");
    if (stochasticSeed === undefined) expectShape("adamw: step", step, [2], "It holds learningRate and clipNorm.");
    else {
      expectShape("adamw: step", step, [3], "It holds learningRate, clipNorm and the number of the step.");
      if (!Number.isInteger(stochasticSeed) || stochasticSeed < 0 || stochasticSeed >= 2 ** 32) {
        throw new ShapeError(`adamw: stochasticSeed: is ${stochasticSeed}, expected a whole number below 2^32. Correct the seed.`);
      }
    }
    expectRank("adamw: births", births, 2, "[E, 3], one row a growth event");
    expectShape("adamw: births", births, [births.shape[0], 3], "A row holds 1-beta1^age, 1-beta2^age, rateMultiplier.");
    if (rowBirth) {
      const rows = elements(rowBirth.shape);
      const columns = colBirth ? elements(colBirth.shape) : elements(grad.shape) / rows;
      expectDtype("adamw: rowBirth", rowBirth, "i32");
      if (colBirth) expectDtype("adamw: colBirth", colBirth, "i32");
      if (!Number.isInteger(columns) || rows * columns !== elements(grad.shape)) {
        throw new ShapeError(
          `adamw: rowBirth: ${rows} rows${colBirth ? ` and ${columns} columns` : ""} of births, expected to divide the ` +
            `gradient ${showShape(grad.shape)}. Births follow the parameter's rows and columns.`,
        );
      }
    }
    return [grad, grad, grad];
  },
  flops: (inputs) => 15 * elements(inputs[0].shape),
  // The gradient is read; parameter and moments are read and written. Births are a few numbers a row.
  bytes: (inputs) => 28 * elements(inputs[0].shape),
};

/** What AdamW updates in place, all of the shape of the gradient. */
export interface AdamwState {
  parameter: Tensor;
  /** First moment. */
  m: Tensor;
  /** Second moment. */
  v: Tensor;
}

export interface AdamwInputs {
  gradient: Tensor;
  /** `[1]`, from `gradNorm` over all gradients of the step. */
  norm: Tensor;
  /** Runtime `[2]`: learning rate and clipping norm (0: no clipping); with `stochasticSeed` `[3]`: then the number of the step. */
  step: Tensor;
  /** Runtime `[E, 3]`, a row a growth event: `1 - beta1^age`, `1 - beta2^age`, rate multiplier. */
  births: Tensor;
  /** i32: the event that created each row; its length says what a row is. All 0 when absent. */
  rowBirth?: Tensor;
  /** i32: the event that created each column. Needs rowBirth. */
  colBirth?: Tensor;
}

export interface AdamwOptions {
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  weightDecay?: number;
  /** Multiplies the learning rate of this parameter, e.g. 1/width under muP. Default 1. */
  rateScale?: number;
  /**
   * Keeps the parameter in bf16: each update is rounded to one of its two neighbours there, with probabilities that make the
   * mean right. The random bits are a pure function of this seed (1 to 2^32 - 1; one of its own for each parameter), the
   * number of the step and the element. Absent: fp32.
   *
   * @see Gupta et al. 2015, arXiv:1502.02551, section 3
   */
  stochasticSeed?: number;
}

/**
 * One AdamW step in place: `g = gradient min(1, clipNorm / norm)`, `m = beta1 m + (1 - beta1) g`,
 * `v = beta2 v + (1 - beta2) g^2`, `parameter -= rate (mhat / (sqrt(vhat) + epsilon) + weightDecay parameter)`.
 * The rate and the bias corrections of an entry are those of the latest birth of its row and column. Nothing is
 * changed when the norm is not finite.
 *
 * @throws {ShapeError} when the state differs in size from the gradient, or births do not fit
 * @see Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2
 */
export function adamw(
  { parameter, m, v }: AdamwState,
  { gradient, norm, step, births, rowBirth, colBirth }: AdamwInputs,
  { beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8, weightDecay = 0, rateScale = 1, stochasticSeed = 0 }: AdamwOptions = {},
): void {
  if (colBirth && !rowBirth) {
    throw new ShapeError("adamw: colBirth: given without rowBirth, expected both. Pass rowBirth, zeros if need be.");
  }
  const inputs = [gradient, norm, step, births, ...(rowBirth ? [rowBirth] : []), ...(colBirth ? [colBirth] : [])];
  record(adamwOp, inputs, { beta1, beta2, epsilon, weightDecay, rateScale, stochasticSeed }, [parameter, m, v]);
}
