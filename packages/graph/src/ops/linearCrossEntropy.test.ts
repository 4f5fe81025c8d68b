import { describe, expect, it } from "vitest";
import { Graph } from "../graph.ts";
import { gradientErrors } from "../testing/gradients.ts";
import { noise, session } from "../testing/run.ts";
import { linearCrossEntropy } from "./linearCrossEntropy.ts";
import { scale } from "./scale.ts";

function inputs(g: Graph, R: number, V: number, C: number) {
  return [
    g.owned("x", [R, C]),
    g.owned("head", [V, C]),
    g.runtime("targets", [R], "i32"),
    g.runtime("weights", [R]),
  ] as const;
}

const IDENTITY = [1, 0, 0, 1];

async function run(targets: number[], x: number[], factor = 1, weights: number | number[] = 1) {
  const g = new Graph();
  const result = linearCrossEntropy(...inputs(g, targets.length, 2, 2), { factor });
  for (const name of ["loss", "tokenLoss", "greedy", "lse"] as const) g.output(name, result[name]);
  return session(g, { x, head: IDENTITY }).run({ targets, weights });
}

describe("linearCrossEntropy", () => {
  it("matches rows worked out by hand", async () => {
    // Logits [1, 0]: lse = 1 + log(1 + 1/e) = 1.3132616875, losses 0.3132616875 and 1.3132616875
    const { loss, tokenLoss, greedy, lse } = await run([0, 1], [1, 0, 1, 0], 1, [2, 0.5]);
    expect(lse[0]).toBeCloseTo(1.3132616875, 10);
    expect(tokenLoss[0]).toBeCloseTo(0.3132616875, 10);
    expect(tokenLoss[1]).toBeCloseTo(1.3132616875, 10);
    expect(loss[0]).toBeCloseTo(2 * 0.3132616875 + 0.5 * 1.3132616875, 9);
    expect([...greedy]).toEqual([1, 0]);
  });

  it("multiplies the logits by the factor", async () => {
    expect((await run([0], [1, 0], 2)).loss[0]).toBeCloseTo(Math.log(1 + Math.exp(-2)), 14);
  });

  it("counts a tie as greedy for the first largest logit only", async () => {
    expect([...(await run([0, 1], [0, 0, 0, 0])).greedy]).toEqual([1, 0]);
  });

  it("gives a row without a target no loss and no gradient", async () => {
    const { loss, tokenLoss, greedy } = await run([-1, 0], [1, 0, 1, 0]);
    expect(tokenLoss[0]).toBe(0);
    expect(greedy[0]).toBe(0);
    expect(loss[0]).toBe(tokenLoss[1]);
  });

  it("stays finite for logits of a thousand", async () => {
    const { tokenLoss } = await run([0, 1], [1000, 0, 1000, 0]);
    expect([...tokenLoss]).toEqual([0, 1000]);
  });

  it("has gradients that agree with finite differences: weights, factor, missing targets", async () => {
    const errors = await gradientErrors(
      (g) => {
        const [x, head, targets, weights] = inputs(g, 4, 5, 3);
        return { loss: linearCrossEntropy(scale(x, 2), head, targets, weights, { factor: 0.7 }).loss, wrt: [x, head] };
      },
      { targets: [4, 0, -1, 4], weights: [0.25, 1.5, 3, -0.5] },
    );
    expect(Math.max(...Object.values(errors))).toBeLessThan(1e-6);
  });

  it("has a gradient where hidden states and head are one parameter", async () => {
    const errors = await gradientErrors(
      (g) => {
        const [x, , targets, weights] = inputs(g, 3, 3, 3);
        return { loss: linearCrossEntropy(x, x, targets, weights).loss, wrt: [x] };
      },
      { targets: [2, 0, 1], weights: [0.25, 1, 0.5] },
    );
    expect(errors.x).toBeLessThan(1e-6);
  });

  it("names the argument that does not fit", () => {
    const g = new Graph();
    const [x, head, targets, weights] = inputs(g, 4, 5, 3);
    const calls: [() => unknown, string][] = [
      [() => linearCrossEntropy(x, g.owned("narrow", [5, 2]), targets, weights), "head: shape is [5, 2], expected [5, 3]."],
      [() => linearCrossEntropy(x, head, g.runtime("t", [3], "i32"), weights), "targets: shape is [3], expected 4 elements."],
      [() => linearCrossEntropy(x, head, weights, weights), "targets: dtype is f32, expected i32."],
      [() => linearCrossEntropy(x, head, targets, g.runtime("w", [5])), "weights: shape is [5], expected 4 elements."],
    ];
    for (const [call, message] of calls) expect(call).toThrow(`linearCrossEntropy: ${message}`);
  });

  it("names the row of a target outside of the vocabulary", async () => {
    await expect(run([0, 2], noise("x", 4))).rejects.toThrow("linearCrossEntropy: target of row 1 is 2, expected below 2.");
  });
});
