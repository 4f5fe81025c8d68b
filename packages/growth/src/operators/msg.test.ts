import { describe, expect, it } from "vitest";
import { applyGrowth } from "../apply.ts";
import { composeGrowth } from "../compose.ts";
import { proveExactness } from "../exactness.ts";
import { randomParameters } from "../testing/decoder.ts";
import { measure, tinyModel } from "../testing/measure.ts";

const source = tinyModel({ family: "flm", numLayers: 3 });

describe("msg", () => {
  it("puts the source into the leading corner, bit for bit", () => {
    const target = { ...source, residualDim: 7 };
    const before = randomParameters(source, 1);
    const after = applyGrowth(
      composeGrowth(source, target, { operators: { residual: "msg" }, rampSteps: 1, seed: 1 }),
      before,
    );
    const old = before["layers.1.ffn.up.weight"]!;
    const grown = after["layers.1.ffn.up.weight"]!;
    old.forEach((x, i) => expect(grown[Math.floor(i / 6) * 7 + (i % 6)]).toBe(x));
  });

  it("appends copies of the stack and then its last layers, all behind gates", () => {
    const { layers } = composeGrowth(
      source,
      { ...source, numLayers: 7 },
      { operators: { depth: "msg" }, rampSteps: 1, seed: 1 },
    );
    expect(layers.map(({ terms }) => terms[0]!.layer)).toEqual([0, 1, 2, 0, 1, 2, 2]);
    expect(layers.map(({ gated }) => gated)).toEqual([false, false, false, true, true, true, true]);
  });

  it("starts the output columns of a query head in an old group at zero, and no others", () => {
    const target = { ...source, numKvHeads: 3, groupSize: 2 };
    const map = composeGrowth(source, target, { operators: { head: "msg" }, rampSteps: 1, seed: 1 });
    const { target: grown } = measure(map);
    const row = [...grown["layers.0.attention.output.weight"]!.slice(0, 3 * 2 * 4)]; // one residual channel: heads x 4
    const isZero = Array.from({ length: 6 }, (_, head) => row.slice(4 * head, 4 * head + 4).every((x) => x === 0));
    // heads (kv, group): 00 old, 01 new, 10 old, 11 new, 20 new, 21 new
    expect(isZero).toEqual([false, true, false, true, false, true]);
  });

  it("is refuted when the plan gives it no ramp", () => {
    const map = composeGrowth(source, { ...source, ffnDim: 9 }, { operators: { ffn: "msg" }, rampSteps: 0, seed: 1 });
    expect(proveExactness(map).logits.refusals).toEqual([
      {
        where: "axis ffn",
        condition: "silent units are gated, or everything that writes them is zero",
        found: "ffn.up.weight, ffn.up.bias write initialised values",
      },
    ]);
    expect(measure(map).logits).toBeGreaterThan(1e-6);
  });

  it("keeps the values of fp32 trees and their precision", () => {
    const target = { ...source, residualDim: 9, ffnDim: 11, numKvHeads: 3, numLayers: 5 };
    const map = composeGrowth(source, target, {
      operators: { residual: "msg", ffn: "msg", head: "msg", depth: "msg" },
      rampSteps: 1,
      seed: 1,
    });
    const tree = Object.fromEntries(
      Object.entries(randomParameters(source, 1)).map(([name, data]) => [name, Float32Array.from(data)]),
    );
    const grown = applyGrowth(map, tree);
    expect(grown["layers.2.ffn.down.weight"]!.slice(0, 5)).toEqual(tree["layers.2.ffn.down.weight"]!.slice(0, 5));
    expect(grown["embedding.weight"]).toBeInstanceOf(Float32Array);
  });
});
