import { describe, expect, it } from "vitest";
import { Graph, type Tensor } from "../graph.ts";
import { gradientErrors, lossInputs, lossOn } from "../testing/gradients.ts";
import { evaluate } from "../testing/run.ts";
import { add } from "./add.ts";
import { addBias } from "./addBias.ts";
import { blend } from "./blend.ts";
import { columnSum } from "./columnSum.ts";
import { gelu } from "./gelu.ts";
import { geluErf } from "./geluErf.ts";
import { scale } from "./scale.ts";
import { scaleColumns } from "./scaleColumns.ts";
import { swiglu } from "./swiglu.ts";

const pair = (g: Graph): [Tensor, Tensor] => [g.owned("a", [2, 3]), g.owned("b", [2, 3])];
const A = [1, 2, 3, 4, 5, 6];
const B = [6, 4, 2, 0, -2, -4];

/** The gradients by a, b and a bias of an op on two matrices, against finite differences. */
async function worstError(
  op: (a: Tensor, b: Tensor, g: Graph) => { y: Tensor; wrt: Tensor[] },
  runtime: Record<string, number | number[]> = {},
): Promise<number> {
  const trace = (g: Graph) => {
    // Behind a product of its own, so that the gradients are those of intermediates.
    const { y, wrt } = op(scale(pair(g)[0], 1.25), scale(pair(g)[1], 0.5), g);
    return { loss: lossOn(y), wrt };
  };
  return Math.max(...Object.values(await gradientErrors(trace, { ...lossInputs(2), ...runtime })));
}

describe("add", () => {
  it("adds", async () => {
    expect(await evaluate((g) => add(...pair(g)), { a: A, b: B })).toEqual([7, 6, 5, 4, 3, 2]);
  });
  it("has gradients that agree with finite differences, also when both terms are one value", async () => {
    expect(await worstError((a, b, g) => ({ y: add(add(a, b), a), wrt: pair(g) }))).toBeLessThan(1e-6);
    expect(await worstError((a, _b, g) => ({ y: add(a, a), wrt: [pair(g)[0]] }))).toBeLessThan(1e-6);
  });
  it("names the argument when the shapes differ", () => {
    const g = new Graph();
    expect(() => add(g.owned("a", [2, 3]), g.owned("b", [3, 2]))).toThrow("add: b: shape is [3, 2], expected [2, 3].");
  });
});

describe("addBias", () => {
  it("adds a vector to every row", async () => {
    const y = await evaluate((g) => addBias(g.owned("a", [2, 3]), g.owned("bias", [3])), { a: A, bias: [10, 20, 30] });
    expect(y).toEqual([11, 22, 33, 14, 25, 36]);
  });
  it("has gradients that agree with finite differences", async () => {
    const error = await worstError((a, b, g) => {
      const bias = g.owned("bias", [3]);
      return { y: addBias(add(a, b), bias), wrt: [...pair(g), bias] };
    });
    expect(error).toBeLessThan(1e-6);
  });
  it("names the argument when the bias has the wrong length", () => {
    const g = new Graph();
    expect(() => addBias(g.owned("a", [2, 3]), g.owned("bias", [2]))).toThrow("addBias: bias: shape is [2], expected [3].");
  });
});

describe("columnSum", () => {
  it("sums over rows", async () => {
    expect(await evaluate((g) => columnSum(g.owned("a", [2, 3])), { a: A })).toEqual([5, 7, 9]);
  });
});

describe("scale", () => {
  it("multiplies by the factor", async () => {
    expect(await evaluate((g) => scale(g.owned("a", [2, 3]), -2), { a: A })).toEqual(A.map((x) => -2 * x));
  });
  it("records nothing for a factor of 1", () => {
    const g = new Graph();
    const a = g.owned("a", [2]);
    expect(scale(a, 1)).toBe(a);
    expect(g.nodes).toHaveLength(0);
  });
});

describe("scaleColumns", () => {
  it("multiplies every row by the gate", async () => {
    const y = await evaluate((g) => scaleColumns(g.owned("a", [2, 3]), g.runtime("gate", [3])), { a: A }, { gate: [1, 0, 0.5] });
    expect(y).toEqual([1, 0, 1.5, 4, 0, 3]);
  });
  it("has a gradient by x that agrees with finite differences", async () => {
    const op = (a: Tensor, b: Tensor, g: Graph) => ({ y: scaleColumns(add(a, b), g.runtime("gate", [3])), wrt: pair(g) });
    expect(await worstError(op, { gate: [1, 0, 0.5] })).toBeLessThan(1e-6);
  });
  it("refuses a gradient by the gate", async () => {
    const op = (a: Tensor, b: Tensor, g: Graph) => {
      const gate = g.owned("gate", [3]);
      return { y: scaleColumns(add(a, b), gate), wrt: [gate] };
    };
    await expect(worstError(op)).rejects.toThrow("differentiate: scaleColumns: found a loss that depends on a parameter through input 1");
  });
  it("names the argument when the gate has the wrong length", () => {
    const g = new Graph();
    expect(() => scaleColumns(g.owned("a", [2, 3]), g.owned("gate", [2]))).toThrow("scaleColumns: gate: shape is [2], expected [3].");
  });
});

describe("blend", () => {
  const op = (a: Tensor, b: Tensor, g: Graph) => ({ y: blend(a, b, g.runtime("m", [1])), wrt: pair(g) });
  it("mixes by m", async () => {
    const y = await evaluate((g) => blend(...pair(g), g.runtime("m", [1])), { a: A, b: B }, { m: 0.25 });
    expect(y).toEqual([2.25, 2.5, 2.75, 3, 3.25, 3.5]);
  });
  it("has gradients that agree with finite differences", async () => {
    expect(await worstError(op, { m: 0.375 })).toBeLessThan(1e-6);
  });
  it("names the argument when m is not one number", () => {
    const g = new Graph();
    expect(() => blend(...pair(g), g.runtime("m", [3]))).toThrow("blend: m: shape is [3], expected [1].");
  });
});

describe("gelu", () => {
  it("matches values worked out by hand", async () => {
    const y = await evaluate((g) => gelu(g.owned("x", [4])), { x: [0, 1, -1, 30] });
    // gelu(1) = 0.5 (1 + tanh(0.7978845608 * 1.044715)); gelu(x) - gelu(-x) = x
    [0, 0.8411919906, -0.1588080094, 30].forEach((expected, i) => expect(y[i]).toBeCloseTo(expected, 9));
  });
  it("has a gradient that agrees with finite differences", async () => {
    expect(await worstError((a, b, g) => ({ y: gelu(add(a, b)), wrt: pair(g) }))).toBeLessThan(1e-6);
  });
  it("refuses integers", () => {
    const g = new Graph();
    expect(() => gelu(g.runtime("x", [2], "i32"))).toThrow("gelu: x: dtype is i32, expected f32.");
  });
});

describe("geluErf", () => {
  it("matches values of the normal distribution", async () => {
    const y = await evaluate((g) => geluErf(g.owned("x", [6])), { x: [0, 1, -1, 30, -3, -10] });
    // Phi(-1) = 0.15865525393145705, Phi(-3) = 1.3498980316300946e-3, Phi(-10) = 7.619853024160525e-24
    [0, 0.841344746068543, -0.158655253931457, 30, -4.049694094890284e-3, -7.619853024160525e-23].forEach((expected, i) =>
      expect(Math.abs(y[i]! - expected)).toBeLessThanOrEqual(1e-12 * Math.abs(expected)),
    );
  });
  it("has a gradient that agrees with finite differences", async () => {
    expect(await worstError((a, b, g) => ({ y: geluErf(add(a, b)), wrt: pair(g) }))).toBeLessThan(1e-6);
  });
  it("refuses integers", () => {
    const g = new Graph();
    expect(() => geluErf(g.runtime("x", [2], "i32"))).toThrow("geluErf: x: dtype is i32, expected f32.");
  });
});

describe("swiglu", () => {
  it("matches values worked out by hand", async () => {
    // silu(1) = 1 / (1 + 1/e) = 0.7310585786, silu(0) = 0
    const y = await evaluate((g) => swiglu(g.owned("gate", [2]), g.owned("up", [2])), { gate: [1, 0], up: [2, 5] });
    expect(y[0]).toBeCloseTo(1.4621171573, 10);
    expect(y[1]).toBe(0);
  });
  it("has gradients that agree with finite differences", async () => {
    expect(await worstError((a, b, g) => ({ y: swiglu(a, b), wrt: pair(g) }))).toBeLessThan(1e-6);
  });
  it("names the argument when the shapes differ", () => {
    const g = new Graph();
    expect(() => swiglu(g.owned("gate", [2, 3]), g.owned("up", [2, 4]))).toThrow("swiglu: up: shape is [2, 4], expected [2, 3].");
  });
});
