import { describe, expect, it } from "vitest";
import { Graph } from "../graph.ts";
import { gradientErrors, lossInputs, lossOn } from "../testing/gradients.ts";
import { evaluate } from "../testing/run.ts";
import { embedding, embeddingGrad } from "./embedding.ts";
import { add } from "./add.ts";
import { matmul } from "./matmul.ts";

const trace = (g: Graph) => embedding(g.runtime("tokens", [1, 3], "i32"), g.owned("table", [3, 2]), { factor: 2 });

describe("embedding", () => {
  it("takes rows of the table times the factor", async () => {
    expect(await evaluate(trace, { table: [1, 2, 3, 4, 5, 6] }, { tokens: [2, 0, 2] })).toEqual([10, 12, 2, 4, 10, 12]);
  });

  it("adds the gradients of a repeated token and leaves absent tokens at 0", async () => {
    const gradient = await evaluate(
      (g) => {
        const dy = add(g.owned("dy", [1, 3, 2]), g.owned("dy", [1, 3, 2]));
        return embeddingGrad(g.runtime("tokens", [1, 3], "i32"), dy, 3, { factor: 0.5 });
      },
      { dy: [1, 2, 3, 4, 5, 6] },
      { tokens: [2, 0, 2] },
    );
    expect(gradient).toEqual([3, 4, 0, 0, 6, 8]);
  });

  it("has a gradient that agrees with finite differences, repeated tokens included", async () => {
    const errors = await gradientErrors(
      (g) => {
        const table = g.owned("table", [4, 3]);
        const w = g.owned("w", [3, 3]);
        const x = embedding(g.runtime("tokens", [2, 3], "i32"), table, { factor: 1.5 });
        return { loss: lossOn(matmul(x, w)), wrt: [table, w] };
      },
      { ...lossInputs(6), tokens: [1, 1, 3, 0, 1, 3] },
    );
    expect(Math.max(...Object.values(errors))).toBeLessThan(1e-6);
  });

  it("refuses tokens that are not integers, and tables that are not matrices", () => {
    const g = new Graph();
    expect(() => embedding(g.runtime("f", [1, 3]), g.owned("table", [3, 2]))).toThrow(
      "embedding: tokens: dtype is f32, expected i32.",
    );
    expect(() => embedding(g.runtime("i", [1, 3], "i32"), g.owned("vector", [3]))).toThrow(
      "embedding: table: shape is [3] of rank 1, expected rank 2.",
    );
  });

  it("names the position of a token outside of the vocabulary", async () => {
    await expect(evaluate(trace, {}, { tokens: [0, 3, 1] })).rejects.toThrow(
      "embedding: token at position 1 is 3, expected 0 to 2.",
    );
  });
});
