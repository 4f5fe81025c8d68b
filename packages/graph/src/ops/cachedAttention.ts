import { ShapeError } from "@espalier/core";
import type { Tensor } from "../graph.ts";
import { elements, expectDtype, expectFloats, expectInputs, expectRank, expectShape } from "../shapes.ts";
import { type OpDefinition, record } from "./definition.ts";

export const cachedAttentionOp: OpDefinition = {
  name: "cachedAttention",
  attributes: ["scale"],
  infer(inputs) {
    const op = "cachedAttention";
    expectInputs(op, inputs, 6);
    const [q, k, v, positions, starts, keyRows] = inputs;
    expectFloats(op, { q, k, v });
    if (q.shape.length < 3) expectRank(`${op}: q`, q, 3, "[R, N, D]");
    const [N, D] = q.shape.slice(-2);
    const R = elements(q.shape) / (N * D);
    expectRank(`${op}: k`, k, 3, "[P, G, D]");
    const [P, G] = k.shape;
    expectShape(`${op}: k`, k, [P, G, D], "The head size must match q.");
    expectShape(`${op}: v`, v, k.shape, "It must have the shape of k.");
    if (N % G !== 0) {
      throw new ShapeError(`${op}: k: has ${G} heads, expected a divisor of the ${N} query heads. Each serves a group.`);
    }
    for (const [name, value] of Object.entries({ positions, starts })) {
      expectDtype(`${op}: ${name}`, value, "i32");
      expectShape(`${op}: ${name}`, value, [R], "It must have one number a row of q.");
    }
    expectDtype(`${op}: keyRows`, keyRows, "i32");
    expectRank(`${op}: keyRows`, keyRows, 1, "[M]");
    return [q];
  },
  // How many keys are read is only known when it runs: counted is the most that the list can hold, once a row.
  flops: ([q, , , , , keyRows]) => elements(q.shape) * 4 * Math.min(elements(keyRows.shape), 4096),
};

export interface CachedAttentionInputs {
  /** `[..., N, D]`, R rows. */
  q: Tensor;
  /** Owned `[P, G, D]`: keys and values of every position that may be read, in any order. */
  k: Tensor;
  v: Tensor;
  /** Runtime i32 `[R]`: the row's position in its sequence; below 0: a row of padding. */
  positions: Tensor;
  /** Runtime i32 `[R]`: where the list of the row's sequence begins in `keyRows`. */
  starts: Tensor;
  /** Runtime i32 `[M]`: lists of rows of the pool, one list a sequence, by position. */
  keyRows: Tensor;
}

/**
 * Attention of single rows over a key/value cache:
 * `y[r] = sum over m <= positions[r] of softmax_m(scale q[r].k[key(m)]) v[key(m)]`, `key(m) = keyRows[starts[r] + m]`.
 *
 * The cache is a pool of rows, and a sequence is a list of rows: sequences with a common beginning list the same rows,
 * and rows of prefill and of decoding, of many sequences, run together. A row is the same bits whatever else is in the
 * run. Padding rows are 0. It has no gradient.
 *
 * @returns  `[..., N, D]`, the shape of q
 * @throws {ShapeError} when sizes do not fit together
 * @see Kwon et al. 2023, arXiv:2309.06180 (cache as pages; here a page is one row); Zheng et al. 2024,
 *   arXiv:2312.07104 (shared prefixes)
 */
export function cachedAttention({ q, k, v, positions, starts, keyRows }: CachedAttentionInputs, { scale }: { scale: number }): Tensor {
  return record(cachedAttentionOp, [q, k, v, positions, starts, keyRows], { scale })[0];
}
