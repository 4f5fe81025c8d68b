import { describe, expect, it } from "vitest";
import { Graph, type Tensor } from "../graph.ts";
import { gradientErrors, lossInputs, lossOn } from "../testing/gradients.ts";
import { evaluate, noise } from "../testing/run.ts";
import { reshape } from "./reshape.ts";
import { type RotaryOptions, rotary } from "./rotary.ts";
import { scale } from "./scale.ts";

const xpos = { kind: "xpos", scaleBase: 4, gamma: 0.4, centre: 2 } as const;

describe("rotary", () => {
  it("turns the pair of position n by n radians at D = 2", async () => {
    const y = await evaluate((g) => rotary(g.owned("x", [1, 3, 1, 2]), { side: "query" }), { x: [1, 0, 1, 0, 0, 1] });
    const expected = [1, 0, Math.cos(1), Math.sin(1), -Math.sin(2), Math.cos(2)];
    expected.forEach((value, i) => expect(y[i]).toBeCloseTo(value, 14));
  });

  it("pairs i with i + D/2 and slows down by base^(-2i/D)", async () => {
    const y = await evaluate((g) => rotary(g.owned("x", [1, 2, 1, 4]), { side: "key", base: 100 }), {
      x: [0, 0, 0, 0, 1, 2, 0, 0],
    });
    const expected = [Math.cos(1), 2 * Math.cos(0.1), Math.sin(1), 2 * Math.sin(0.1)];
    expected.forEach((value, i) => expect(y[4 + i]).toBeCloseTo(value, 14));
  });

  it("takes given frequencies in place of the formula", async () => {
    const trace = (g: Graph) =>
      rotary(g.owned("x", [1, 2, 1, 2]), { side: "query", frequencies: g.runtime("frequencies", [1]) });
    const y = await evaluate(trace, { x: [1, 0, 1, 0] }, { frequencies: 0.5 });
    expect(y[2]).toBeCloseTo(Math.cos(0.5), 14);
    expect(y[3]).toBeCloseTo(Math.sin(0.5), 14);
  });

  it("scales xPos queries by zeta^((n - centre)/scaleBase) and keys by its inverse", async () => {
    // Pair 0: zeta = 0.4/1.4; position 0 is 2 before the centre, so the power is -1/2 for queries.
    const zeta = 0.4 / 1.4;
    const at = (side: "query" | "key") =>
      evaluate((g) => rotary(g.owned("x", [1, 1, 1, 2]), { ...xpos, side }), { x: [1, 0] });
    expect((await at("query"))[0]).toBeCloseTo(zeta ** -0.5, 14);
    expect((await at("key"))[0]).toBeCloseTo(zeta ** 0.5, 14);
  });

  it.each(["rope", "xpos"] as const)("makes %s products depend on the distance only", async (kind) => {
    const T = 5;
    const D = 4;
    // The same query and the same key at every position.
    const repeated = (name: string) => Array.from({ length: T }, () => noise(name, D)).flat();
    const turned = (side: "query" | "key") =>
      evaluate((g) => rotary(g.owned("x", [1, T, 1, D]), { ...xpos, kind, side }), { x: repeated(side) });
    const [q, k] = [await turned("query"), await turned("key")];
    const product = (n: number, m: number) =>
      Array.from({ length: D }, (_, d) => q[n * D + d] * k[m * D + d]).reduce((sum, value) => sum + value, 0);
    for (let n = 1; n < T - 1; n++) expect(product(n + 1, n)).toBeCloseTo(product(1, 0), 12);
    expect(product(4, 2)).toBeCloseTo(product(2, 0), 12);
    expect(Math.abs(product(2, 0) - product(1, 0))).toBeGreaterThan(1e-3);
  });

  it.each<[string, RotaryOptions]>([
    ["rope queries", { side: "query" }],
    ["rope keys", { side: "key" }],
    ["xpos queries", { ...xpos, side: "query" }],
    ["xpos keys", { ...xpos, side: "key" }],
  ])("has a gradient that agrees with finite differences: %s", async (_, options) => {
    const trace = (g: Graph) => {
      const x = g.owned("x", [1, 3, 2, 4]);
      const y = rotary(scale(x, 1.5), options);
      return { loss: lossOn(reshape(y, [3, 8])), wrt: [x] };
    };
    expect((await gradientErrors(trace, lossInputs(3))).x).toBeLessThan(1e-6);
  });

  it("has a gradient with given frequencies", async () => {
    const trace = (g: Graph) => {
      const x = g.owned("x", [1, 3, 2, 4]);
      const y = rotary(scale(x, 1.5), { side: "key", frequencies: g.runtime("frequencies", [2]) });
      return { loss: lossOn(reshape(y, [3, 8])), wrt: [x] };
    };
    expect((await gradientErrors(trace, { ...lossInputs(3), frequencies: [0.75, 0.125] })).x).toBeLessThan(1e-6);
  });

  it("refuses odd heads, other ranks and frequencies of the wrong length", () => {
    const g = new Graph();
    const turn = (x: Tensor, frequencies?: Tensor) => () => rotary(x, { side: "query", frequencies });
    expect(turn(g.owned("odd", [1, 2, 1, 3]))).toThrow("rotary: x: head size is 3, expected an even number.");
    expect(turn(g.owned("flat", [1, 2, 4]))).toThrow("rotary: x: shape is [1, 2, 4] of rank 3, expected rank 4.");
    expect(turn(g.owned("x", [1, 2, 1, 4]), g.runtime("f", [4]))).toThrow("rotary: frequencies: shape is [4], expected [2].");
  });
});
