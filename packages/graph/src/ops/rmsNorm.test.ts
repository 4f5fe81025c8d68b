import { describe, expect, it } from "vitest";
import { Graph } from "../graph.ts";
import { gradientErrors, lossInputs, lossOn } from "../testing/gradients.ts";
import { evaluate } from "../testing/run.ts";
import { rmsNorm } from "./rmsNorm.ts";
import { scale } from "./scale.ts";

const trace = (C: number, gated: boolean) => (g: Graph) =>
  rmsNorm(g.owned("x", [1, C]), g.owned("gain", [C]), {
    epsilon: 0,
    ...(gated ? { channelWeights: g.runtime("c", [C]) } : {}),
  });

describe("rmsNorm", () => {
  it("matches a row worked out by hand", async () => {
    const [first, second] = await evaluate(trace(2, false), { x: [3, 4], gain: 1 });
    expect(first).toBeCloseTo(0.848528137, 8);
    expect(second).toBeCloseTo(1.13137085, 8);
  });

  it("matches a row with fractional channel weights worked out by hand", async () => {
    // S = 1.5, mean square (4 + 0.5 * 16)/1.5 = 8: y = c x / sqrt(8)
    const [first, second] = await evaluate(trace(2, true), { x: [2, 4], gain: 1 }, { c: [1, 0.5] });
    expect(first).toBeCloseTo(Math.SQRT1_2, 14);
    expect(second).toBeCloseTo(Math.SQRT1_2, 14);
  });

  it.each([
    ["without channel weights", undefined],
    ["with channel weights of 0, 1 and between", [1, 0.25, 0, 0.75]],
  ])("has gradients that agree with finite differences %s", async (_, c) => {
    const errors = await gradientErrors(
      (g) => {
        const [x, gain] = [g.owned("x", [3, 4]), g.owned("gain", [4])];
        const channelWeights = c ? g.runtime("c", [4]) : undefined;
        return { loss: lossOn(rmsNorm(scale(x, 2), gain, { channelWeights })), wrt: [x, gain] };
      },
      { ...lossInputs(3), ...(c ? { c } : {}) },
    );
    expect(Math.max(...Object.values(errors))).toBeLessThan(1e-6);
  });

  it("names the argument when the gain has the wrong length", () => {
    const g = new Graph();
    expect(() => rmsNorm(g.owned("x", [2, 768]), g.owned("gain", [512]))).toThrow(
      "rmsNorm: gain: shape is [512], expected [768]. It must match the last axis of x.",
    );
  });
});
