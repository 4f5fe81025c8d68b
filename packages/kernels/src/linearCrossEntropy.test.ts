import { describe, expect, it } from "vitest";
import { availableBackends } from "./availableBackends.ts";
import { type OpCase, runCase } from "./testing/opCase.ts";

/** Logits by hand: x is 1, so the head's rows are the logits ln 1, ln 2, ln 5. */
const byHand = (targets: number[]): OpCase => ({
  op: "linearCrossEntropyWithGrad",
  note: "",
  inputs: [
    { shape: [targets.length, 1], value: () => 1 },
    { shape: [3, 1], value: (i) => Math.log([1, 2, 5][i]!) },
    { shape: [targets.length], dtype: "i32", value: (i) => targets[i]! },
    { shape: [targets.length], value: () => 0.5 },
  ],
  attributes: { factor: 1, accumulate: 0 },
});

describe.each(availableBackends())("linearCrossEntropyWithGrad on $name", ({ create }) => {
  it("matches probabilities 1/8, 2/8, 5/8 worked out by hand", async () => {
    const [loss, tokenLoss, greedy, lse, dx, dHead] = await runCase(create({ numThreads: 1 }), byHand([2, 0, -1]));
    expect(loss![0]).toBeCloseTo(0.5 * (Math.log(8 / 5) + Math.log(8)), 6);
    expect(tokenLoss![2]).toBe(0);
    expect([...Array.from(greedy!)]).toEqual([1, 0, 0]);
    expect(lse![1]).toBeCloseTo(Math.log(8), 6);
    expect(dx![0]).toBeCloseTo(0.5 * ((2 / 8) * Math.log(2) + (5 / 8 - 1) * Math.log(5)), 6);
    expect(dHead![0]).toBeCloseTo(0.5 * (1 / 8 + (1 / 8 - 1)), 6);
    expect(dHead![2]).toBeCloseTo(0.5 * (5 / 8 - 1 + 5 / 8), 6);
  });
});

describe.each(availableBackends().filter(({ name }) => name !== "reference"))("linearCrossEntropy on $name", ({ create }) => {
  it.each(["linearCrossEntropy", "linearCrossEntropyWithGrad"])("%s does not read through a target beyond the vocabulary", async (op) => {
    const gradients = op === "linearCrossEntropyWithGrad";
    const opCase: OpCase = { ...byHand([2, 3, 1_000_000_000]), op, attributes: { factor: 1, ...(gradients && { accumulate: 0 }) } };
    const [loss, tokenLoss, greedy, , dx] = await runCase(create({ numThreads: 1 }), opCase);
    expect(loss![0]).toBeNaN();
    expect(tokenLoss![0]).toBeCloseTo(Math.log(8 / 5), 6);
    expect([tokenLoss![1], tokenLoss![2]]).toEqual([NaN, NaN]);
    expect([...Array.from(greedy!)]).toEqual([1, 0, 0]);
    if (gradients) expect(dx![1]).toBeNaN(); // so the gradient norm is not finite, and the step is skipped
  });
});

describe.each(availableBackends().filter(({ name }) => name !== "reference" && !name.includes("cuda")))("linearCrossEntropyWithGrad in blocks of rows on $name", ({ create }) => {
  // More than 2^25 logits are held in several blocks of rows; the first half of the rows alone are one block.
  const [R, V, C] = [1040, 33_000, 4];
  const ofRows = (rows: number): OpCase => ({
    op: "linearCrossEntropyWithGrad",
    note: "",
    inputs: [
      { shape: [rows, C], value: (i) => Math.sin((i % ((R / 2) * C)) + 1) },
      { shape: [V, C], value: (i) => Math.cos(3 * i + 1) },
      { shape: [rows], dtype: "i32", value: (i) => ((i % (R / 2)) * 61) % V },
      { shape: [rows], value: () => 1 / 64 },
    ],
    attributes: { factor: 1, accumulate: 0 },
  });

  it("gives a row the same bits in any block, and adds the blocks' gradients of the head", async () => {
    const outputsOf = async (rows: number) => (await runCase(create({ numThreads: 2 }), ofRows(rows))).map((values) => Float32Array.from(values!));
    const [half, whole] = [await outputsOf(R / 2), await outputsOf(R)];
    for (const [output, perRow] of [[1, 1], [2, 1], [3, 1], [4, C]] as const) {
      const count = (R / 2) * perRow;
      expect(whole[output]!.slice(0, count)).toEqual(half[output]);
      expect(whole[output]!.slice(count)).toEqual(half[output]);
    }
    const dHead = half[5]!;
    const largest = dHead.reduce((most, d) => Math.max(most, Math.abs(d)), 0);
    const error = whole[5]!.reduce((most, d, i) => Math.max(most, Math.abs(d - 2 * dHead[i]!)), 0);
    expect(largest).toBeGreaterThan(1e-3);
    expect(error / largest).toBeLessThan(1e-5);
  });
});
