import { ShapeError } from "@espalier/core";
import type { Tensor } from "../graph.ts";
import {
  type TensorType,
  expectElements,
  expectFloats,
  expectInputs,
  expectShape,
  f32,
  lastAxis,
  numRows,
  showShape,
} from "../shapes.ts";
import type { Attributes } from "../types.ts";
import { type GradientTarget, type OpDefinition, fresh, record, withFlag, withoutFlag } from "./definition.ts";

/** The epilogue flags, in the order in which they apply; bias, gate and residual each bring one input. */
const plainEpilogue = { bias: 0, gelu: 0, gate: 0, residual: 0, savePre: 0 };

/** Sizes of `op(a) op(b)` after flattening leading axes: M rows, N columns, K summed. */
function matmulSizes(a: TensorType, b: TensorType, { transA, transB }: Attributes) {
  const [M, K] = transA ? [lastAxis(a.shape), numRows(a.shape)] : [numRows(a.shape), lastAxis(a.shape)];
  const [N, inner] = transB ? [numRows(b.shape), lastAxis(b.shape)] : [lastAxis(b.shape), numRows(b.shape)];
  return { M, N, K, inner };
}

/** @throws {ShapeError} where the factor that is to be summed is not stored as `dy` is, or something else is to be done besides */
function expectBiasGradient({ biasGrad, transA, transB, alpha, bias, gelu, gate, residual, savePre, geluGrad = 0 }: Attributes): void {
  const plain = transA === 1 && transB === 0 && alpha === 1 && bias + gelu + gate + residual + savePre + geluGrad === 0;
  if (plain && (biasGrad === 1 || biasGrad === 2)) return;
  throw new ShapeError(
    `matmul: biasGrad: found ${biasGrad} with transA ${transA}, transB ${transB}, alpha ${alpha} and an epilogue of ` +
      `${bias + gelu + gate + residual + savePre + geluGrad} parts, expected 1 (of a) or 2 (of b) with transA 1, transB 0, alpha 1 and no epilogue. ` +
      "Sum columns by columnSum.",
  );
}

export const matmulOp: OpDefinition = {
  name: "matmul",
  attributes: ["transA", "transB", "alpha", "accumulate", "bias", "gelu", "gate", "residual", "savePre"],
  optional: ["bf16", "geluGrad", "biasGrad"],
  infer(inputs, attributes) {
    const plain = withoutFlag("matmul", inputs, attributes);
    const { bias, gelu, gate, residual: addsResidual, geluGrad = 0, biasGrad = 0 } = attributes;
    if (geluGrad && (bias || gelu || attributes.savePre || attributes.accumulate)) {
      throw new ShapeError("matmul: geluGrad: found bias, gelu, savePre or accumulate with it, expected a plain product. Fuse a plain one.");
    }
    if (biasGrad) expectBiasGradient(attributes);
    expectInputs("matmul", plain, 2 + bias + gate + addsResidual + geluGrad);
    const [a, b] = plain;
    expectFloats("matmul", { a, b });
    const { M, N, K, inner } = matmulSizes(a, b, attributes);
    if (K !== inner) {
      const shown = ({ shape }: TensorType, transposed: number) => `${showShape(shape)}${transposed ? "^T" : ""}`;
      throw new ShapeError(
        `matmul: b: inner size is ${inner}, expected ${K} (shapes ${shown(a, attributes.transA)} and ` +
          `${shown(b, attributes.transB)}). The last axis of op(a) and the first of op(b) must match.`,
      );
    }
    const epilogue = plain.slice(2);
    for (const vector of ["bias", "gate"]) {
      if (!attributes[vector]) continue;
      expectShape(`matmul: ${vector}`, epilogue.shift()!, [N], "It must match the columns of op(b).");
    }
    for (const matrix of ["residual", "geluGrad"]) {
      if (attributes[matrix]) expectElements(`matmul: ${matrix}`, epilogue.shift()!, M * N, "It must have the size of the product.");
    }
    // Rows keep the leading axes of a: [B, T, K] times [K, N] is [B, T, N].
    const y = f32(attributes.transA ? [M, N] : [...a.shape.slice(0, -1), N]);
    if (biasGrad) return [y, f32([biasGrad === 1 ? M : N])];
    return attributes.savePre ? [y, y] : [y];
  },
  gradient({ inputs: [a, b], attributes, dy, needs, target }) {
    const { transA, transB, alpha, bf16 = 0 } = attributes;
    if (attributes.bias || attributes.gelu || attributes.gate || attributes.residual || attributes.geluGrad || attributes.biasGrad || attributes.accumulate) {
      throw new ShapeError("matmul: has an epilogue, expected a plain product. Differentiate first, then fuse.");
    }
    const product = (left: Tensor, right: Tensor, tA: number, tB: number, to: GradientTarget) =>
      matmul(left, right, { transA: tA === 1, transB: tB === 1, alpha, bf16: bf16 === 1 }, to);
    // With A = op(a), B = op(b): dA = dy B^T and dB = A^T dy, each transposed back where a or b was.
    let da: Tensor | undefined;
    let db: Tensor | undefined;
    if (needs(0)) da = transA ? product(b, dy, transB, 1, target(0)) : product(dy, b, 0, 1 - transB, target(0));
    if (needs(1)) db = transB ? product(dy, a, 1, transA, target(1)) : product(a, dy, 1 - transA, 0, target(1));
    return [da, db];
  },
  flops([a, b], _outputs, attributes) {
    const { M, N, K } = matmulSizes(a, b, attributes);
    const epilogue = attributes.bias + 9 * attributes.gelu + attributes.gate + attributes.residual + 17 * (attributes.geluGrad ?? 0);
    const columnSums = [0, M * K, K * N][attributes.biasGrad ?? 0];
    return 2 * M * N * K + epilogue * M * N + columnSums;
  },
};

export interface MatmulOptions {
  /** Use the transpose of a (after flattening leading axes). */
  transA?: boolean;
  /** Use the transpose of b: a weight stored `[out, in]`. */
  transB?: boolean;
  /** Multiplies the product. Default 1. */
  alpha?: number;
  /** Round a and b to bf16 (nearest, ties to even) before they are multiplied. Default: the precision of the graph. */
  bf16?: boolean;
}

/**
 * Matrix product: `y = alpha * op(a) op(b)`; a projection `x W^T` is `matmul(x, w, { transB: true })`.
 * Leading axes are flattened: a may be `[B, T, K]`.
 *
 * @param a  `[..., K]`, or `[..., M]` with transA (then summed over its rows)
 * @param b  `[K, N]`, or `[N, K]` with transB
 * @param target  where the product is written; a fresh tensor by default
 * @returns  `[..., N]` with the leading axes of a; `[M, N]` with transA
 * @throws {ShapeError} when the inner sizes differ
 */
export function matmul(
  a: Tensor,
  b: Tensor,
  { transA = false, transB = false, alpha = 1, bf16 = a.graph.precision === "bf16" }: MatmulOptions = {},
  target: GradientTarget = fresh,
): Tensor {
  const attributes = { transA: +transA, transB: +transB, alpha, accumulate: target.accumulate, ...plainEpilogue, bf16: +bf16 };
  return record(matmulOp, withFlag([a, b], target), attributes, [target.tensor])[0];
}
