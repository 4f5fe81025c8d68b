import { ShapeError } from "@espalier/core";
import type { Tensor } from "../graph.ts";
import {
  elements,
  expectDtype,
  expectElements,
  expectFloats,
  expectInputs,
  expectRank,
  f32,
  lastAxis,
  showShape,
} from "../shapes.ts";
import { type GradientTarget, type OpDefinition, fresh, record, withFlag, withoutFlag } from "./definition.ts";

export const embeddingOp: OpDefinition = {
  name: "embedding",
  attributes: ["factor"],
  infer(inputs) {
    expectInputs("embedding", inputs, 2);
    const [tokens, table] = inputs;
    expectDtype("embedding: tokens", tokens, "i32");
    expectFloats("embedding", { table });
    expectRank("embedding: table", table, 2, "[V, C], one row a token");
    return [f32([...tokens.shape, table.shape[1]])];
  },
  gradient({ inputs: [tokens, table], attributes, dy, needs, target }) {
    if (!needs(1)) return [];
    return [undefined, embeddingGrad(tokens, dy, table.shape[0], { factor: attributes.factor }, target(1))];
  },
  flops: (_inputs, [y]) => elements(y.shape),
  bytes: ([tokens], [y]) => 4 * elements(tokens.shape) + 8 * elements(y.shape), // the rows looked up, not the table
};

export const embeddingGradOp: OpDefinition = {
  name: "embeddingGrad",
  attributes: ["factor", "accumulate"],
  infer(inputs, attributes, [dTable]) {
    const plain = withoutFlag("embeddingGrad", inputs, attributes);
    expectInputs("embeddingGrad", plain, 2);
    const [tokens, dy] = plain;
    const C = lastAxis(dy.shape);
    expectDtype("embeddingGrad: tokens", tokens, "i32");
    expectFloats("embeddingGrad", { dy, dTable });
    expectElements("embeddingGrad: dy", dy, elements(tokens.shape) * C, "It must have one row for each token.");
    // V is not to be seen in the inputs: the caller states it with the gradient's shape.
    if (dTable?.shape.length !== 2 || dTable.shape[1] !== C) {
      const found = dTable ? showShape(dTable.shape) : "unknown";
      throw new ShapeError(`embeddingGrad: dTable: shape is ${found}, expected [V, ${C}]. Use the shape of the table.`);
    }
    return [dTable];
  },
  flops: (inputs) => 2 * elements(inputs[1].shape),
};

export interface EmbeddingOptions {
  /** Multiplies every row: the embedding multiplier of a configuration. Default 1. */
  factor?: number;
}

/**
 * Rows of a table: `y[b, t] = factor * table[tokens[b, t]]`.
 *
 * @param tokens  i32 `[B, T]`, each in `[0, V)`
 * @param table   `[V, C]`
 * @returns       `[B, T, C]`
 * @throws {ShapeError} when tokens are not i32 or the table is not a matrix
 */
export function embedding(tokens: Tensor, table: Tensor, { factor = 1 }: EmbeddingOptions = {}): Tensor {
  return record(embeddingOp, [tokens, table], { factor })[0];
}

/**
 * Backward of `embedding`: `dTable[v] = factor * sum of dy over the positions whose token is v`, in position order.
 *
 * @param dy  `[B, T, C]`
 * @returns   `[V, C]`
 * @throws {ShapeError} when the target is not `[V, C]`
 */
export function embeddingGrad(
  tokens: Tensor,
  dy: Tensor,
  vocabSize: number,
  { factor = 1 }: EmbeddingOptions = {},
  target: GradientTarget = fresh,
): Tensor {
  const attributes = { factor, accumulate: target.accumulate };
  const dTable = target.tensor ?? f32([vocabSize, lastAxis(dy.shape)]);
  return record(embeddingGradOp, withFlag([tokens, dy], target), attributes, [target.tensor], [dTable])[0];
}
