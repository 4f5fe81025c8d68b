import { describe, expect, it } from "vitest";
import { Graph } from "../graph.ts";
import { gradientErrors, lossInputs, lossOn } from "../testing/gradients.ts";
import { evaluate } from "../testing/run.ts";
import { matmul } from "./matmul.ts";
import { recordOp } from "./table.ts";

const A = [1, 2, 3, 4, 5, 6]; // [2, 3] or, transposed, [3, 2]
const B = [1, 0, 2, -1, 1, 3]; // [3, 2] or, transposed, [2, 3]

describe("matmul", () => {
  it.each([
    // a [[1,2,3],[4,5,6]], a' = [[1,3,5],[2,4,6]]; b [[1,0],[2,-1],[1,3]], b' = [[1,-1],[0,1],[2,3]]
    { transA: false, transB: false, a: [2, 3], b: [3, 2], y: [8, 7, 20, 13] },
    { transA: false, transB: true, a: [2, 3], b: [2, 3], y: [7, 10, 16, 19] },
    { transA: true, transB: false, a: [3, 2], b: [3, 2], y: [12, 12, 16, 14] },
    { transA: true, transB: true, a: [3, 2], b: [2, 3], y: [11, 17, 14, 20] },
  ])("multiplies by hand: transA $transA, transB $transB", async ({ transA, transB, a, b, y }) => {
    const trace = (g: Graph) => matmul(g.owned("a", a), g.owned("b", b), { transA, transB, alpha: 2 });
    expect(await evaluate(trace, { a: A, b: B })).toEqual(y.map((value) => 2 * value));
  });

  it("keeps the leading axes of a", () => {
    const g = new Graph();
    expect(matmul(g.owned("a", [2, 3, 4]), g.owned("b", [5, 4]), { transB: true }).shape).toEqual([2, 3, 5]);
  });

  it("refuses the gradient of gelu where a value has been finished or is summed into", () => {
    const g = new Graph();
    const inputs = [g.owned("a", [2, 3]), g.owned("b", [3, 4]), g.owned("of", [2, 4])];
    const attributes = { transA: 0, transB: 0, alpha: 1, accumulate: 1, bias: 0, gelu: 0, gate: 0, residual: 0, savePre: 0, geluGrad: 1 };
    expect(() => recordOp("matmul", inputs, { attributes })).toThrow("matmul: geluGrad: found bias, gelu, savePre or accumulate with it");
  });

  it.each([
    [1, [9, 12]],
    [2, [4, 2]],
  ])("sums the columns of factor %s as stored, for the gradient of a bias", async (biasGrad, sums) => {
    const attributes = { transA: 1, transB: 0, alpha: 1, accumulate: 0, bias: 0, gelu: 0, gate: 0, residual: 0, savePre: 0, biasGrad };
    const trace = (g: Graph) => {
      const [y, d] = recordOp("matmul", [g.owned("a", [3, 2]), g.owned("b", [3, 2])], { attributes });
      g.output("product", y);
      return d;
    };
    expect(await evaluate(trace, { a: A, b: B })).toEqual(sums);
  });

  it("refuses to sum a factor that is stored otherwise, of a scaled product or beside an epilogue", () => {
    const g = new Graph();
    const inputs = [g.owned("a", [3, 2]), g.owned("b", [3, 2])];
    const attributes = { transA: 1, transB: 0, alpha: 1, accumulate: 0, bias: 0, gelu: 0, gate: 0, residual: 0, savePre: 0, biasGrad: 1 };
    for (const change of [{ transA: 0 }, { transB: 1 }, { alpha: 2 }, { gelu: 1 }, { biasGrad: 3 }]) {
      expect(() => recordOp("matmul", inputs, { attributes: { ...attributes, ...change } })).toThrow(/matmul: biasGrad: found .* expected 1 \(of a\) or 2 \(of b\) with transA 1/);
    }
  });

  it("applies the epilogue in the order bias, gelu, gate, residual", async () => {
    const attributes = { transA: 0, transB: 0, alpha: 1, accumulate: 0, bias: 1, gelu: 1, gate: 1, residual: 1, savePre: 1 };
    const trace = (g: Graph) => {
      const inputs = [g.owned("a", [1, 1]), g.owned("b", [1, 2]), g.owned("bias", [2]), g.owned("gate", [2]), g.owned("r", [1, 2])];
      const [y, pre] = recordOp("matmul", inputs, { attributes });
      g.output("pre", pre);
      return y;
    };
    // z = [1, -3]: gelu(1) = 0.8411919906, gelu(-3) = -0.0036373920
    const y = await evaluate(trace, { a: [1], b: [2, -1], bias: [-1, -2], gate: [0.5, 2], r: [10, 20] });
    expect(y[0]).toBeCloseTo(10.4205959953, 9);
    expect(y[1]).toBeCloseTo(19.992725216, 8);
  });

  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])("has gradients that agree with finite differences: transA %s, transB %s", async (transA, transB) => {
    const errors = await gradientErrors((g) => {
      const a = g.owned("a", transA ? [3, 4] : [4, 3]);
      const b = g.owned("b", transB ? [2, 3] : [3, 2]);
      return { loss: lossOn(matmul(a, b, { transA, transB, alpha: 0.7 })), wrt: [a, b] };
    }, lossInputs(4));
    expect(Math.max(...Object.values(errors))).toBeLessThan(1e-6);
  });

  it("has a gradient where both factors are one parameter", async () => {
    const errors = await gradientErrors((g) => {
      const a = g.owned("a", [3, 3]);
      return { loss: lossOn(matmul(a, a, { transB: true })), wrt: [a] };
    }, lossInputs(3));
    expect(errors.a).toBeLessThan(1e-6);
  });

  it("names the argument and both sizes when the inner sizes differ", () => {
    const g = new Graph();
    expect(() => matmul(g.owned("a", [2, 3]), g.owned("b", [4, 5]))).toThrow(
      "matmul: b: inner size is 4, expected 3 (shapes [2, 3] and [4, 5]).",
    );
  });

  it("refuses integers", () => {
    const g = new Graph();
    expect(() => matmul(g.owned("a", [2, 3], "i32"), g.owned("b", [3, 5]))).toThrow("matmul: a: dtype is i32, expected f32.");
  });
});
