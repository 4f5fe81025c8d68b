import { describe, expect, it } from "vitest";
import { composeGrowth } from "../compose.ts";
import { measure, tinyModel } from "../testing/measure.ts";

describe.each(["flm", "llama"] as const)("zeroDepth (%s)", (family) => {
  const source = tinyModel({ family, numLayers: 2 });
  const grow = (name: string) =>
    measure(composeGrowth(source, { ...source, numLayers: 4 }, { operators: { depth: name }, rampSteps: 0, seed: 1 }));

  it("inserts each copy after its source, its two output projections zero and the rest copied", () => {
    const { source: before, target: after } = grow("zeroDepth");
    for (const name of Object.keys(before).filter((key) => key.startsWith("layers.1."))) {
      const isWrite = /attention\.output|ffn\.down/.test(name);
      expect(after[name.replace("layers.1.", "layers.2.")], name).toEqual(before[name]);
      expect(
        after[name.replace("layers.1.", "layers.3.")]!.every((x) => x === 0),
        name,
      ).toBe(isWrite);
      if (!isWrite) expect(after[name.replace("layers.1.", "layers.3.")], name).toEqual(before[name]);
    }
  });

  it("on top: the source's layers first, then the copies", () => {
    const { source: before, target: after } = grow("zeroDepthTop");
    expect(after["layers.1.ffn.up.weight"]).toEqual(before["layers.1.ffn.up.weight"]);
    expect(after["layers.2.ffn.up.weight"]).toEqual(before["layers.0.ffn.up.weight"]);
    expect(after["layers.3.ffn.down.weight"]!.every((x) => x === 0)).toBe(true);
  });
});
