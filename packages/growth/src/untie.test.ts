import { GrowthError } from "@espalier/core";
import { type ModelFamily } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { composeGrowth } from "./compose.ts";
import { proveExactness } from "./exactness.ts";
import { applyGrowth } from "./apply.ts";
import { growthMap } from "./growthMap.ts";
import { growMoments } from "./moments.ts";
import { momentTerms, parameterTerms } from "./terms.ts";
import { randomParameters, runDecoder } from "./testing/decoder.ts";
import { measure, tinyModel } from "./testing/measure.ts";

describe.each<ModelFamily>(["flm", "llama"])("untying the head (%s)", (family) => {
  const source = tinyModel({ family, tiedHead: true });
  const target = tinyModel({ family, tiedHead: false });
  const map = growthMap(source, target, {}, 1);
  const tree = randomParameters(source, 1);

  it("copies the embedding and its moments, and keeps the logits to the bit", () => {
    const grown = applyGrowth(map, tree);
    expect(grown["head.weight"]).toEqual(tree["embedding.weight"]);
    expect(grown["embedding.weight"]).toEqual(tree["embedding.weight"]);
    expect(growMoments(map, tree, { order: 1 })["head.weight"]).toEqual(tree["embedding.weight"]);
    expect(measure(map).logits).toBe(0);
    expect(proveExactness(map).logits.refusals).toEqual([]);
  });

  it("splits the one gradient into two that add up to it, and says that neither is the old one", () => {
    const tokens = [1, 4, 2, 6, 0, 3];
    const before = runDecoder(source, tree, tokens).gradients;
    const after = runDecoder(target, applyGrowth(map, tree), tokens).gradients;
    before["embedding.weight"]!.forEach((g, i) => expect(after["embedding.weight"]![i]! + after["head.weight"]![i]!).toBeCloseTo(g, 12));
    expect(proveExactness(map).gradients.refusals).toMatchObject([{ where: "embedding.weight, head.weight", found: expect.stringContaining("untied") }]);
  });

  it("says so to devices too", () => {
    const head = <T extends { name: string }>(terms: Iterable<T>) => [...terms].find(({ name }) => name === "head.weight");
    expect(head(parameterTerms(map))).toMatchObject({ terms: [{ from: "embedding.weight" }] });
    expect(head(momentTerms(map))).toMatchObject({ terms: [{ from: "embedding.weight" }] });
  });

  it("keeps the logits beside a growth of every axis, with muP and changed multipliers", () => {
    for (const mup of [undefined, { baseWidth: 3, outputMult: 2 }]) {
      const small = tinyModel({ family, tiedHead: true, ...(mup && { mup }) });
      const large = tinyModel({ family, tiedHead: false, ...(mup && { mup }), residualDim: 12, ffnDim: 10, numKvHeads: 4, numLayers: 3 });
      for (const width of ["hyperCloning", "msg"]) {
        const step = { operators: { residual: width, ffn: width, head: width, depth: "zeroDepth" }, rampSteps: 10, seed: 1 };
        const grown = composeGrowth(small, large, step);
        expect(proveExactness(grown).logits.refusals).toEqual([]);
        expect(measure(grown).logits).toBeLessThan(1e-12);
      }
    }
    const multipliers = { embedding: 3, logits: 0.2, attention: 0.7, residual: 0.4 };
    const changed = growthMap(source, { ...target, multipliers }, {}, 1);
    expect(proveExactness(changed).logits.refusals).toEqual([]);
    expect(measure(changed).logits).toBeLessThan(1e-12);
  });

  it("never ties", () => {
    expect(() => growthMap(target, source, {}, 1)).toThrow(GrowthError);
    expect(() => growthMap(target, source, {}, 1)).toThrow(/tiedHead is true, expected false/);
  });
});
