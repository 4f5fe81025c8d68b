import { describe, expect, it } from "vitest";
import { Graph } from "../graph.ts";
import { gradientErrors, lossInputs, lossOn } from "../testing/gradients.ts";
import { evaluate } from "../testing/run.ts";
import { layerNorm } from "./layerNorm.ts";
import { scale } from "./scale.ts";

const trace = (C: number, epsilon: number, gated: boolean) => (g: Graph) =>
  layerNorm(g.owned("x", [1, C]), g.owned("gain", [C]), g.owned("bias", [C]), {
    epsilon,
    ...(gated ? { channelWeights: g.runtime("c", [C]) } : {}),
  });

describe("layerNorm", () => {
  it("matches a row worked out by hand", async () => {
    // mean 2, variance 1: xhat = [-1, 1]
    expect(await evaluate(trace(2, 0, false), { x: [1, 3], gain: [2, 1], bias: [0.5, 0] })).toEqual([-1.5, 1]);
  });

  it("leaves channels of weight 0 out of the statistics and silent", async () => {
    const y = await evaluate(trace(3, 0, true), { x: [1, 3, 100], gain: [2, 1, 7], bias: [0.5, 0, 9] }, { c: [1, 1, 0] });
    expect(y).toEqual([-1.5, 1, 0]);
  });

  it("matches a row with fractional channel weights worked out by hand", async () => {
    // S = 1.5, mean = 1.5/1.5 = 1, variance = (1 + 0.5 * 4)/1.5 = 2: y = c (x - 1)/sqrt(2)
    const y = await evaluate(trace(2, 0, true), { x: [0, 3], gain: [1, 1], bias: [0, 0] }, { c: [1, 0.5] });
    expect(y[0]).toBeCloseTo(-Math.SQRT1_2, 14);
    expect(y[1]).toBeCloseTo(Math.SQRT1_2, 14);
  });

  it.each([
    ["without channel weights", undefined],
    ["with channel weights of 0, 1 and between", [1, 0.25, 0, 0.75]],
  ])("has gradients that agree with finite differences %s", async (_, c) => {
    const errors = await gradientErrors(
      (g) => {
        const [x, gain, bias] = [g.owned("x", [3, 4]), g.owned("gain", [4]), g.owned("bias", [4])];
        const channelWeights = c ? g.runtime("c", [4]) : undefined;
        return { loss: lossOn(layerNorm(scale(x, 2), gain, bias, { channelWeights })), wrt: [x, gain, bias] };
      },
      { ...lossInputs(3), ...(c ? { c } : {}) },
    );
    expect(Math.max(...Object.values(errors))).toBeLessThan(1e-6);
  });

  it("computes only the gradients that are asked for", async () => {
    const errors = await gradientErrors((g) => {
      const [x, gain, bias] = [g.owned("x", [3, 4]), g.owned("gain", [4]), g.owned("bias", [4])];
      return { loss: lossOn(layerNorm(x, gain, bias)), wrt: [bias] };
    }, lossInputs(3));
    expect(Object.keys(errors)).toEqual(["bias"]);
    expect(errors.bias).toBeLessThan(1e-6);
  });

  it("names the argument when a vector has the wrong length", () => {
    const g = new Graph();
    const [x, long, short] = [g.owned("x", [2, 768]), g.owned("long", [768]), g.owned("short", [512])];
    const message = (what: string) => `layerNorm: ${what}: shape is [512], expected [768]. It must match the last axis of x.`;
    expect(() => layerNorm(x, short, long)).toThrow(message("gain"));
    expect(() => layerNorm(x, long, short)).toThrow(message("bias"));
    expect(() => layerNorm(x, long, long, { channelWeights: short })).toThrow(message("channelWeights"));
  });
});
