import { describe, expect, it } from "vitest";
import { composeGrowth } from "../compose.ts";
import { measure, tinyModel } from "../testing/measure.ts";

describe("hyperCloning", () => {
  const grow = (shape: Parameters<typeof tinyModel>[0]) => {
    const operators = { residual: "hyperCloning", ffn: "hyperCloning", head: "hyperCloning" };
    const target = tinyModel({ ...shape, residualDim: 12, ffnDim: 10, numKvHeads: 4 });
    return composeGrowth(tinyModel(shape), target, { operators, rampSteps: 0, seed: 1 });
  };

  it("tiles weights twice both ways and halves them: W' = tile(W) / 2", () => {
    const { source, target } = measure(grow({ family: "flm" }));
    const [w, grown] = [source["layers.0.ffn.up.weight"]!, target["layers.0.ffn.up.weight"]!];
    grown.forEach((x, i) => expect(x).toBe(w[(Math.floor(i / 12) % 5) * 6 + (i % 6)]! / 2));
  });

  it("divides the final norm by the copies for a tied head, unless muP's multiplier already does it", () => {
    const gainRatio = (shape: Parameters<typeof tinyModel>[0]) => {
      const { source, target, logits } = measure(grow(shape));
      expect(logits).toBeLessThan(1e-13);
      return target["final.norm.gain"]![7]! / source["final.norm.gain"]![1]!;
    };
    expect(gainRatio({ family: "flm", tiedHead: true })).toBeCloseTo(1 / 2, 12);
    expect(gainRatio({ family: "flm", tiedHead: true, mup: { baseWidth: 3 } })).toBeCloseTo(1, 12);
    expect(gainRatio({ family: "flm", tiedHead: false })).toBeCloseTo(1, 12);
    expect(gainRatio({ family: "flm", tiedHead: false, mup: { baseWidth: 3 } })).toBeCloseTo(2, 12);
  });

  it("refuses a target that is not a multiple", () => {
    const source = tinyModel({ family: "llama" });
    expect(() =>
      composeGrowth(
        source,
        { ...source, residualDim: 9 },
        { operators: { residual: "hyperCloning" }, rampSteps: 0, seed: 1 },
      ),
    ).toThrow(/hyperCloning: residualDim: target size is 9, expected a multiple of the source size 6/);
  });
});
