import { describe, expect, it } from "vitest";
import { Graph } from "../graph.ts";
import { type NamedValues, session } from "../testing/run.ts";
import { type AdamwOptions, adamw } from "./adamw.ts";
import { random16, roundStochastically } from "../reference/stochasticRounding.ts";
import { gradNorm } from "./gradNorm.ts";

interface Births {
  rows?: number;
  columns?: number;
}

/** One parameter's optimiser program; `gradNorm` over this one gradient. */
function optimiser(shape: number[], owned: NamedValues, options: AdamwOptions = {}, births: Births = {}) {
  const g = new Graph();
  const [parameter, m, v, gradient] = ["parameter", "m", "v", "gradient"].map((name) => g.owned(name, shape));
  const norm = gradNorm([gradient]);
  g.output("norm", norm);
  adamw(
    { parameter, m, v },
    {
      gradient,
      norm,
      step: g.runtime("step", [2]),
      births: g.runtime("births", [2, 3]),
      ...(births.rows ? { rowBirth: g.owned("rowBirth", [births.rows], "i32") } : {}),
      ...(births.columns ? { colBirth: g.owned("colBirth", [births.columns], "i32") } : {}),
    },
    options,
  );
  return session(g, { m: 0, v: 0, ...owned });
}

/** Powers of two, so that their 32-bit runtime values are exact. Betas of 0.5 make `1 - beta^age` exact as well. */
const half: AdamwOptions = { beta1: 0.5, beta2: 0.5, epsilon: 0 };
const firstStep = { step: [0.125, 0], births: [0.5, 0.5, 1, 0.5, 0.5, 1] };

describe("adamw", () => {
  it("moves by the learning rate against the sign of the first gradient", async () => {
    const { run, read } = optimiser([2], { parameter: [1, 2], gradient: [0.5, -3] }, half);
    await run(firstStep);
    expect([...read("parameter")]).toEqual([1 - 0.125, 2 + 0.125]);
    expect([...read("m")]).toEqual([0.25, -1.5]);
    expect([...read("v")]).toEqual([0.125, 4.5]);
  });

  it("agrees with two steps worked out by hand, decay decoupled", async () => {
    const { run, read, write } = optimiser([1], { parameter: 1, gradient: 1 }, { ...half, weightDecay: 0.5 });
    await run(firstStep); // 1 - 0.125 (1 + 0.5 * 1)
    expect(read("parameter")[0]).toBe(0.8125);
    write("gradient", 3);
    await run({ births: [0.75, 0.75, 1, 0.5, 0.5, 1] });
    // m = 0.25 + 1.5, v = 0.25 + 4.5; corrections 0.75
    const update = 1.75 / 0.75 / Math.sqrt(4.75 / 0.75);
    expect(read("parameter")[0]).toBeCloseTo(0.8125 - 0.125 * (update + 0.5 * 0.8125), 14);
  });

  describe("with parameters in bf16", () => {
    const rounded = (stochasticSeed: number, step: number, value = 1 - 2 ** -10) => {
      const random = Array.from({ length: 4096 }, (_, i) => random16(stochasticSeed, step, i));
      return random.map((bits) => roundStochastically(value, bits));
    };

    it("rounds to the two neighbours, in the mean to the value, by seed, step and element", () => {
      const found = rounded(7, 3);
      // Below 1 numbers of bf16 are 2^-8 apart: the value is a quarter of the way down.
      expect(new Set(found)).toEqual(new Set([1, 1 - 2 ** -8]));
      const mean = found.reduce((sum, each) => sum + each, 0) / found.length;
      const standardError = (2 ** -8 * Math.sqrt(3 / 16)) / 64;
      expect(Math.abs(mean - (1 - 2 ** -10))).toBeLessThan(4 * standardError);
      expect(rounded(7, 3)).toEqual(found);
      expect(rounded(7, 4)).not.toEqual(found);
      expect(rounded(8, 3)).not.toEqual(found);
    });

    it("leaves numbers of bf16, infinity and not-a-number as they are", () => {
      for (const value of [0, 1, -1.5, Infinity, -Infinity, NaN]) expect(new Set(rounded(7, 3, value))).toEqual(new Set([value]));
      expect(random16(7, 3, 2 ** 32 + 5)).not.toBe(random16(7, 3, 5));
    });

    it("rounds each update of a step by its number, and not without a seed", async () => {
      const g = new Graph();
      const [parameter, m, v, gradient] = ["parameter", "m", "v", "gradient"].map((name) => g.owned(name, [64]));
      const inputs = { gradient, norm: gradNorm([gradient]), step: g.runtime("step", [3]), births: g.runtime("births", [1, 3]) };
      adamw({ parameter, m, v }, inputs, { ...half, stochasticSeed: 9 });
      const { run, read } = session(g, { parameter: 1, m: 0, v: 0, gradient: 1 });
      await run({ step: [2 ** -10, 0, 5], births: [0.5, 0.5, 1] });
      expect([...read("parameter")]).toEqual(rounded(9, 5).slice(0, 64));
      expect(() => adamw({ parameter, m, v }, { ...inputs, step: g.runtime("two", [2]) }, { stochasticSeed: 9 })).toThrow(
        "adamw: step: shape is [2], expected [3]. It holds learningRate, clipNorm and the number of the step.",
      );
      expect(() => adamw({ parameter, m, v }, inputs, { stochasticSeed: 0.5 })).toThrow("adamw: stochasticSeed: is 0.5, expected a whole number below 2^32.");
    });
  });

  it("clips by the global norm", async () => {
    const { run, read } = optimiser([2], { parameter: 0, gradient: [3, 4] }, half);
    const { norm } = await run({ ...firstStep, step: [0.125, 1] });
    expect(norm[0]).toBe(5);
    expect(read("m")[0]).toBeCloseTo(0.5 * 0.6, 14);
    expect(read("m")[1]).toBeCloseTo(0.5 * 0.8, 14);
  });

  it("does not scale up a gradient below the clipping norm", async () => {
    const { run, read } = optimiser([2], { parameter: 0, gradient: [3, 4] }, half);
    await run({ ...firstStep, step: [0.125, 64] });
    expect([...read("m")]).toEqual([1.5, 2]);
  });

  it.each([NaN, Infinity])("changes nothing when the gradient holds %d", async (bad) => {
    const { run, read } = optimiser([2], { parameter: [1, 2], m: 0.5, v: 0.5, gradient: [bad, 1] }, half);
    await run(firstStep);
    expect([...read("parameter"), ...read("m"), ...read("v")]).toEqual([1, 2, 0.5, 0.5, 0.5, 0.5]);
  });

  it("takes age and rate from the latest birth of row and column", async () => {
    const owned = { parameter: 0, gradient: 1, rowBirth: [0, 1], colBirth: [0, 0, 1] };
    const { run, read } = optimiser([2, 3], owned, half, { rows: 2, columns: 3 });
    // Event 1 learns four times slower.
    await run({ ...firstStep, births: [0.5, 0.5, 1, 0.5, 0.5, 0.25] });
    expect([...read("parameter")]).toEqual([-0.125, -0.125, -0.03125, -0.03125, -0.03125, -0.03125]);
  });

  it("divides a parameter of any rank into rows by the length of rowBirth", async () => {
    const { run, read } = optimiser([2, 2, 2], { parameter: 0, gradient: 1, rowBirth: [0, 1, 0, 1] }, half, { rows: 4 });
    await run({ ...firstStep, births: [0.5, 0.5, 1, 0.5, 0.5, 0] });
    expect([...read("parameter")]).toEqual([-0.125, -0.125, 0, 0, -0.125, -0.125, 0, 0]);
  });

  it("multiplies the rate of one parameter by rateScale", async () => {
    const { run, read } = optimiser([1], { parameter: 0, gradient: 1 }, { ...half, rateScale: 2 });
    await run(firstStep);
    expect(read("parameter")[0]).toBe(-0.25);
  });

  it("names the argument that does not fit", () => {
    expect(() => optimiser([2, 3], {}, half, { rows: 4 })).toThrow(
      "adamw: rowBirth: 4 rows of births, expected to divide the gradient [2, 3].",
    );
    expect(() => optimiser([2, 3], {}, half, { columns: 3 })).toThrow("adamw: colBirth: given without rowBirth, expected both.");
    const g = new Graph();
    const [parameter, gradient] = [g.owned("p", [2]), g.owned("g", [3])];
    const inputs = { gradient, norm: gradNorm([gradient]), step: g.runtime("step", [2]), births: g.runtime("births", [1, 3]) };
    expect(() => adamw({ parameter, m: parameter, v: parameter }, inputs)).toThrow(
      "adamw: output 0: 'p' is f32 [2], expected f32 [3]. Write into a tensor of the same size.",
    );
  });
});

describe("gradNorm", () => {
  it("is the root of the sum of squares over all gradients", async () => {
    const g = new Graph();
    g.output("norm", gradNorm([g.owned("a", [2]), g.owned("b", [1, 1])]));
    expect((await session(g, { a: [2, 3], b: [6] }).run()).norm[0]).toBe(7);
  });

  it("refuses an empty list", () => {
    expect(() => gradNorm([])).toThrow("gradNorm: gradients: found 0, expected at least 1.");
  });
});
