import { GrowthError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { composeGrowth } from "../compose.ts";
import { proveExactness } from "../exactness.ts";
import { measure, tinyModel } from "../testing/measure.ts";

const source = tinyModel({ family: "llama", numLayers: 2 });
const stackTo = (numLayers: number) =>
  composeGrowth(source, { ...source, numLayers }, { operators: { depth: "stack" }, rampSteps: 0, seed: 1 });

describe("stack", () => {
  it("repeats the whole stack unscaled; embeddings, final norm and head stand once", () => {
    const { source: before, target: after } = measure(stackTo(6));
    for (let layer = 0; layer < 6; layer++) {
      expect(after[`layers.${layer}.ffn.down.weight`]).toEqual(before[`layers.${layer % 2}.ffn.down.weight`]);
    }
    for (const name of ["embedding.weight", "final.norm.gain", "head.weight"])
      expect(after[name]).toEqual(before[name]);
  });

  it("changes the logits, and the proof says where", () => {
    const map = stackTo(4);
    expect(proveExactness(map).logits.refusals[0]).toEqual({
      where: "layers.2",
      condition: "live layers are the source's, each once and in order",
      found: "it runs source layer 0 where no layer is left",
    });
    expect(measure(map).logits).toBeGreaterThan(0.1);
  });

  it("refuses a remainder", () => {
    expect(() => stackTo(5)).toThrow(GrowthError);
    expect(() => stackTo(5)).toThrow(/stack: numLayers: target size is 5, expected a multiple of the source size 2/);
  });
});
