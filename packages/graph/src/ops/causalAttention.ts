import { ShapeError } from "@espalier/core";
import type { Tensor } from "../graph.ts";
import { type TensorType, expectDtype, expectFloats, expectInputs, expectRank, expectShape, f32 } from "../shapes.ts";
import { type OpDefinition, record } from "./definition.ts";

/** Query-key pairs under the causal mask, over all sequences and query heads. */
function numPairs({ shape: [B, T, N] }: TensorType): number {
  return (B * N * T * (T + 1)) / 2;
}

function checkQueryKeyValue(op: string, q: TensorType, k: TensorType, v: TensorType): void {
  expectFloats(op, { q, k, v });
  expectRank(`${op}: q`, q, 4, "[B, T, N, D]");
  expectRank(`${op}: k`, k, 4, "[B, T, G, D]");
  const [B, T, N, D] = q.shape;
  const G = k.shape[2];
  expectShape(`${op}: k`, k, [B, T, G, D], "Batch, tokens and head size must match q.");
  expectShape(`${op}: v`, v, k.shape, "It must have the shape of k.");
  if (N % G !== 0) {
    throw new ShapeError(`${op}: k: has ${G} heads, expected a divisor of the ${N} query heads. Each serves a group.`);
  }
}

function checkLengths(op: string, q: TensorType, lengths: TensorType | undefined): void {
  if (!lengths) return;
  expectDtype(`${op}: lengths`, lengths, "i32");
  expectShape(`${op}: lengths`, lengths, [q.shape[0]], "It must have one length a sequence.");
}

function checkStarts(op: string, q: TensorType, starts: TensorType | undefined): void {
  if (!starts) return;
  expectDtype(`${op}: starts`, starts, "i32");
  expectShape(`${op}: starts`, starts, q.shape.slice(0, 2), "It must have one first key a token.");
}

export const causalAttentionOp: OpDefinition = {
  name: "causalAttention",
  attributes: ["scale"],
  infer(inputs) {
    expectInputs("causalAttention", inputs, 3, 5);
    const [q, k, v, lengths, starts] = inputs;
    checkQueryKeyValue("causalAttention", q, k, v);
    checkLengths("causalAttention", q, lengths);
    checkStarts("causalAttention", q, starts);
    const [B, T, N] = q.shape;
    return [q, f32([B, N, T])];
  },
  gradient({ inputs: [q, k, v, lengths, starts], outputs: [y, lse], attributes, dy }) {
    return causalAttentionGrad(q, k, v, y, lse, dy, { scale: attributes.scale, lengths, starts });
  },
  // Products q.k and p.v (2D each per pair), the exponential and the sum.
  flops: (inputs) => numPairs(inputs[0]) * (4 * inputs[0].shape[3] + 3),
};

export const causalAttentionGradOp: OpDefinition = {
  name: "causalAttentionGrad",
  attributes: ["scale"],
  infer(inputs) {
    const op = "causalAttentionGrad";
    expectInputs(op, inputs, 6, 8);
    const [q, k, v, y, lse, dy, lengths, starts] = inputs;
    checkQueryKeyValue(op, q, k, v);
    const [B, T, N] = q.shape;
    expectFloats(op, { y, lse, dy });
    expectShape(`${op}: y`, y, q.shape, "It must have the shape of q.");
    expectShape(`${op}: lse`, lse, [B, N, T], "It is saved by the forward pass.");
    expectShape(`${op}: dy`, dy, q.shape, "It must have the shape of q.");
    checkLengths(op, q, lengths);
    checkStarts(op, q, starts);
    return [q, k, v];
  },
  // Five products a pair: q.k again, dy.v, and the sums for dq, dk and dv.
  flops: (inputs) => numPairs(inputs[0]) * (10 * inputs[0].shape[3] + 5),
};

export interface AttentionOptions {
  /** Multiplies query-key products, e.g. `1/sqrt(D)`. */
  scale: number;
  /** Runtime i32 `[B]`: tokens of each sequence that are real; later rows are 0 and no key. */
  lengths?: Tensor;
  /**
   * Runtime i32 `[B, T]`, only with `lengths`: the first position that each token sees, for several documents in one
   * sequence. Not above its own position, and not falling along a sequence.
   */
  starts?: Tensor;
}

/** `lengths` and `starts` behind the other inputs: which of them are there is known from their number. */
function masks(op: string, { lengths, starts }: AttentionOptions): Tensor[] {
  if (!lengths && starts) throw new ShapeError(`${op}: starts: given without lengths, expected both. Give the lengths of the sequences as well.`);
  return [lengths, starts].filter((mask) => mask !== undefined);
}

/**
 * Causal self-attention with grouped heads:
 * `y[n] = sum over starts[n] <= m <= n of softmax_m(scale q[n].k[m]) v[m]`, starts 0 where there are none; query head h reads key/value head floor(h / (N/G)).
 * No T x T tensor is kept: the backward recomputes probabilities from their log-sum-exp.
 *
 * @param q     `[B, T, N, D]`
 * @param k, v  `[B, T, G, D]`, G a divisor of N
 * @returns     `[B, T, N, D]`
 * @throws {ShapeError} when sizes do not fit together
 * @see Vaswani et al. 2017, arXiv:1706.03762; Ainslie et al. 2023, arXiv:2305.13245 (grouped heads);
 *   Dao et al. 2022, arXiv:2205.14135 (recomputation)
 */
export function causalAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  return record(causalAttentionOp, [q, k, v, ...masks("causalAttention", options)], { scale: options.scale })[0];
}

/**
 * Backward of `causalAttention`: with `p = exp(scale q.k - lse)` and `ds = p (dy.v - dy.y)`,
 * `dq = scale sum ds k`, `dk = scale sum ds q`, `dv = sum p dy`.
 *
 * @returns  dq, dk, dv
 */
export function causalAttentionGrad(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  y: Tensor,
  lse: Tensor,
  dy: Tensor,
  options: AttentionOptions,
): Tensor[] {
  return record(causalAttentionGradOp, [q, k, v, y, lse, dy, ...masks("causalAttentionGrad", options)], { scale: options.scale });
}
