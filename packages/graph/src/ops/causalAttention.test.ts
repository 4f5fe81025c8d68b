import { describe, expect, it } from "vitest";
import { Graph } from "../graph.ts";
import { gradientErrors, lossInputs, lossOn } from "../testing/gradients.ts";
import { evaluate, noise } from "../testing/run.ts";
import { causalAttention } from "./causalAttention.ts";
import { reshape } from "./reshape.ts";
import { scale } from "./scale.ts";

const heads = (g: Graph, B: number, T: number, N: number, G: number, D: number) =>
  [g.owned("q", [B, T, N, D]), g.owned("k", [B, T, G, D]), g.owned("v", [B, T, G, D])] as const;

describe("causalAttention", () => {
  it("averages the values so far when all scores are equal", async () => {
    const trace = (g: Graph) => causalAttention(...heads(g, 1, 3, 1, 1, 2), { scale: 1 });
    const y = await evaluate(trace, { q: 0, k: 0, v: [3, 0, 1, 2, 5, 7] });
    [3, 0, 2, 1, 3, 3].forEach((value, i) => expect(y[i]).toBeCloseTo(value, 14));
  });

  it("weighs by the exponential of the scaled score, worked out by hand", async () => {
    // Scores of the last token: scale * [1, 2] = [0.5, 1]; weights 1/(1 + e^0.5), e^0.5/(1 + e^0.5)
    const trace = (g: Graph) => causalAttention(...heads(g, 1, 2, 1, 1, 2), { scale: 0.5 });
    const y = await evaluate(trace, { q: [9, 9, 1, 0], k: [1, 5, 2, 5], v: [1, 0, 0, 1] });
    const late = Math.exp(0.5) / (1 + Math.exp(0.5));
    [1, 0, 1 - late, late].forEach((value, i) => expect(y[i]).toBeCloseTo(value, 14));
  });

  it("reads key/value head floor(n / group) from query head n", async () => {
    const trace = (g: Graph) => causalAttention(...heads(g, 1, 1, 4, 2, 2), { scale: 1 });
    // One token: every query head returns the value of its key/value head.
    expect(await evaluate(trace, { v: [1, 2, 3, 4] })).toEqual([1, 2, 1, 2, 3, 4, 3, 4]);
  });

  it("does not see later tokens", async () => {
    const run = (last: number) =>
      evaluate((g) => causalAttention(...heads(g, 1, 3, 1, 1, 2), { scale: 1 }), {
        k: [...noise("k", 4), last, last],
        v: [...noise("v", 4), last, last],
      });
    expect((await run(1)).slice(0, 4)).toEqual((await run(50)).slice(0, 4));
  });

  it("gives rows beyond the length 0 and keeps the others", async () => {
    const short = (g: Graph) =>
      causalAttention(...heads(g, 2, 3, 2, 1, 2), { scale: 1, lengths: g.runtime("lengths", [2], "i32") });
    const whole = (g: Graph) => causalAttention(...heads(g, 2, 3, 2, 1, 2), { scale: 1 });
    const [y, expected] = [await evaluate(short, {}, { lengths: [1, 3] }), await evaluate(whole)];
    expect(y.slice(0, 4)).toEqual(expected.slice(0, 4));
    expect(y.slice(4, 12)).toEqual(new Array(8).fill(0));
    expect(y.slice(12)).toEqual(expected.slice(12));
  });

  it("gives each document of a sequence what it has alone", async () => {
    const values = (name: string, from: number, to: number) => noise(name, 5 * 4).slice(from * 4, to * 4);
    const alone = async (from: number, to: number) =>
      evaluate((g) => causalAttention(...heads(g, 1, to - from, 2, 2, 2), { scale: 0.7 }), { q: values("q", from, to), k: values("k", from, to), v: values("v", from, to) });
    const packed = await evaluate(
      (g) => causalAttention(...heads(g, 1, 5, 2, 2, 2), { scale: 0.7, lengths: g.runtime("lengths", [1], "i32"), starts: g.runtime("starts", [1, 5], "i32") }),
      { q: values("q", 0, 5), k: values("k", 0, 5), v: values("v", 0, 5) },
      { lengths: 5, starts: [0, 0, 2, 2, 2] },
    );
    expect(packed).toEqual([...(await alone(0, 2)), ...(await alone(2, 5))]);
  });

  it.each([
    ["one key/value head for each query head", 2, undefined, undefined],
    ["grouped heads", 1, undefined, undefined],
    ["grouped heads and lengths", 1, [2, 3], undefined],
    ["several documents in a sequence", 1, [2, 3], [0, 1, 1, 0, 0, 2]],
  ])("has gradients that agree with finite differences: %s", async (_, G, lengths, starts) => {
    const trace = (g: Graph) => {
      const [q, k, v] = heads(g, 2, 3, 2, G, 2);
      const options = {
        scale: 0.7,
        ...(lengths ? { lengths: g.runtime("lengths", [2], "i32") } : {}),
        ...(starts ? { starts: g.runtime("starts", [2, 3], "i32") } : {}),
      };
      const y = causalAttention(scale(q, 2), scale(k, 1.5), scale(v, 0.5), options);
      return { loss: lossOn(reshape(y, [2, 3, 4])), wrt: [q, k, v] };
    };
    const errors = await gradientErrors(trace, { ...lossInputs(6), ...(lengths ? { lengths } : {}), ...(starts ? { starts } : {}) });
    expect(Math.max(...Object.values(errors))).toBeLessThan(1e-6);
  });

  it("has a gradient by values far apart in score", async () => {
    const trace = (g: Graph) => {
      const [q, k, v] = heads(g, 1, 3, 1, 1, 2);
      return { loss: lossOn(reshape(causalAttention(q, k, v, { scale: 40 }), [3, 2])), wrt: [v] };
    };
    expect((await gradientErrors(trace, lossInputs(3))).v).toBeLessThan(1e-6);
  });

  it("names the argument that does not fit", () => {
    const g = new Graph();
    const [q, k, v] = heads(g, 2, 3, 4, 2, 2);
    const odd = g.owned("odd", [2, 3, 3, 2]);
    expect(() => causalAttention(q, odd, odd, { scale: 1 })).toThrow("causalAttention: k: has 3 heads, expected a divisor of the 4 query heads.");
    expect(() => causalAttention(q, k, odd, { scale: 1 })).toThrow("causalAttention: v: shape is [2, 3, 3, 2], expected [2, 3, 2, 2].");
    expect(() => causalAttention(q, k, v, { scale: 1, lengths: g.runtime("l", [3], "i32") })).toThrow(
      "causalAttention: lengths: shape is [3], expected [2].",
    );
    expect(() => causalAttention(q, k, v, { scale: 1, lengths: g.runtime("f", [2]) })).toThrow(
      "causalAttention: lengths: dtype is f32, expected i32.",
    );
    const [lengths, starts] = [g.runtime("n", [2], "i32"), g.runtime("s", [2, 3], "i32")];
    expect(() => causalAttention(q, k, v, { scale: 1, starts })).toThrow("causalAttention: starts: given without lengths, expected both.");
    expect(() => causalAttention(q, k, v, { scale: 1, lengths, starts: lengths })).toThrow("causalAttention: starts: shape is [2], expected [2, 3].");
  });
});
