import { GrowthError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { applyGrowth } from "../apply.ts";
import { composeGrowth, fittedTarget } from "../compose.ts";
import { proveExactness } from "../exactness.ts";
import { growMoments } from "../moments.ts";
import { randomParameters } from "../testing/decoder.ts";
import { measure, tinyModel } from "../testing/measure.ts";
import { rmsFactor } from "./sparkling.ts";

const llama = tinyModel({ family: "llama" });
const step = (operators: Record<string, string>, seed = 1) => ({ operators, rampSteps: 0, seed });

describe("lemon", () => {
  it("gives copies unequal shares of what reads them, which add up to the whole", () => {
    const { source, target } = measure(composeGrowth(llama, { ...llama, ffnDim: 12 }, step({ ffn: "lemon" })));
    const [before, after] = [source["layers.0.ffn.down.weight"]!, target["layers.0.ffn.down.weight"]!];
    // Five units into twelve: 0 and 1 stand three times, the others twice.
    const shares = (unit: number) => [unit, unit + 5, unit + 10].filter((t) => t < 12).map((t) => after[t]! / before[unit]!);
    [1 / 6, 2 / 6, 3 / 6].forEach((share, i) => expect(shares(0)[i]).toBeCloseTo(share, 12));
    [1 / 3, 2 / 3].forEach((share, i) => expect(shares(4)[i]).toBeCloseTo(share, 12));
  });
});

describe("zeroWidth", () => {
  it("keeps the corner, reads and writes the new channels as zero, and scales gain and epsilon", () => {
    const target = fittedTarget(llama, { ...llama, residualDim: 8 }, { residual: "zeroWidth" });
    expect(target.normEpsilon.final / llama.normEpsilon.final).toBeCloseTo(6 / 8, 12);
    const { source, target: grown, logits } = measure(composeGrowth(llama, target, step({ residual: "zeroWidth" })));
    expect(logits).toBeLessThan(1e-12);
    expect([...grown["embedding.weight"]!.slice(6, 8)]).toEqual([0, 0]);
    const up = grown["layers.0.ffn.up.weight"]!;
    expect([...up.slice(0, 6)]).toEqual([...source["layers.0.ffn.up.weight"]!.slice(0, 6)]);
    expect(up[6]).not.toBe(0);
    expect(grown["layers.0.ffn.norm.gain"]![0]! / source["layers.0.ffn.norm.gain"]![0]!).toBeCloseTo(Math.sqrt(6 / 8), 12);
  });

  it("refuses LayerNorm, and an epsilon that is not scaled", () => {
    const flm = tinyModel({ family: "flm" });
    expect(() => composeGrowth(flm, { ...flm, residualDim: 8 }, step({ residual: "zeroWidth" }))).toThrow(/LayerNorm, expected RMSNorm/);
    const grow = () => composeGrowth(llama, { ...llama, residualDim: 8 }, step({ residual: "zeroWidth" }));
    expect(grow).toThrow(GrowthError);
    expect(grow).toThrow(/normEpsilon\.attention of the target is .*, expected /);
  });
});

describe("sparkling", () => {
  it("scales by 1 without growth, by 1/2 at twice the size from either side, and by d/d' beyond", () => {
    expect(rmsFactor(8, 8)).toBe(1);
    expect(rmsFactor(8, 16)).toBe(1 / 2);
    expect(rmsFactor(1e6, 2e6 + 1)).toBeCloseTo(1 / 2, 6);
    expect(rmsFactor(8, 12)).toBeCloseTo(Math.sqrt(8 / 20), 14);
    expect(rmsFactor(8, 32)).toBe(1 / 4);
  });

  it("keeps the mean square of what independent units give, between multiples too", () => {
    // Two copies are one unit of twice the weight: (2 f)^2 and f^2, summed over d' - d and 2 d - d' units.
    for (const after of [10, 12, 15, 20]) {
      const f = rmsFactor(10, after);
      expect((after - 10) * (2 * f) ** 2 + (20 - after) * f ** 2).toBeCloseTo(10, 12);
    }
  });

  it("is refuted between multiples", () => {
    for (const grown of [{ residualDim: 9 }, { ffnDim: 7 }]) {
      const group = "residualDim" in grown ? "residual" : "ffn";
      const map = composeGrowth(llama, { ...llama, ...grown }, step({ [group]: "sparkling" }));
      expect(proveExactness(map).logits.holds).toBe(false);
      expect(measure(map).logits).toBeGreaterThan(1e-6);
    }
  });

  it("starts the copies' moments at zero, where copied moments would keep the halves equal", () => {
    const map = composeGrowth(llama, { ...llama, ffnDim: 10 }, step({ ffn: "sparkling" }));
    const moments = randomParameters(llama, 3);
    const up = (policy: "kept" | "contravariant") => growMoments(map, moments, { order: 1, policy })["layers.0.ffn.up.weight"]!;
    expect([...up("kept").slice(30)]).toEqual(new Array(30).fill(0));
    expect([...up("contravariant").slice(30)]).toEqual([...up("contravariant").slice(0, 30)]);
  });
});

describe("bert2Bert", () => {
  it("is not exact, and the proof says why", () => {
    const wide = tinyModel({ family: "llama", residualDim: 40 });
    const map = composeGrowth(wide, { ...wide, residualDim: 44 }, step({ residual: "bert2Bert" }));
    expect(proveExactness(map).logits.refusals.map(({ condition }) => condition).join()).toContain("a norm without a rule sees every source channel once");
    expect(measure(map).logits).toBeGreaterThan(1e-6);
  });
});

describe("shrinkPerturb", () => {
  const wide = tinyModel({ family: "llama", residualDim: 40, ffnDim: 60 });
  const target = { ...wide, residualDim: 60, ffnDim: 90 };
  const map = composeGrowth(wide, target, step({ residual: "shrinkPerturb", ffn: "shrinkPerturb" }));
  const tree = randomParameters(wide, 1);
  const rms = (values: Float64Array) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);

  it("adds 0.4 W and an initialisation of the target's size, which is all that new entries get", () => {
    const zeros = Object.fromEntries(Object.entries(tree).map(([name, values]) => [name, values.map(() => 0)]));
    const [grown, noise] = [applyGrowth(map, tree)["layers.0.ffn.up.weight"]!, applyGrowth(map, zeros)["layers.0.ffn.up.weight"]!];
    for (const [r, c] of [[0, 0], [59, 39], [7, 21]] as const) {
      expect(grown[60 * r + c]! - noise[60 * r + c]!).toBeCloseTo(0.4 * tree["layers.0.ffn.up.weight"]![40 * r + c]!, 12);
    }
    expect(grown[60 * 70 + 50]).toBe(noise[60 * 70 + 50]);
    expect(rms(noise)).toBeCloseTo(target.initStd, 2);
  });

  it("shrinks norm gains towards one, where new ones start", () => {
    const gain = applyGrowth(map, tree)["layers.0.ffn.norm.gain"]!;
    expect(gain[3]).toBeCloseTo(1 + 0.4 * (tree["layers.0.ffn.norm.gain"]![3]! - 1), 12);
    expect([...gain.slice(40)]).toEqual(new Array(20).fill(1));
  });
});
