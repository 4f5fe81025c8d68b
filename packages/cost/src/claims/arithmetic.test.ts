import { describe, expect, it } from "vitest";
import { megatronFlops, ZETTA } from "../flops.ts";
import { throughputFlops } from "../paper/quantities.ts";
import { flm101b, type PaperTables } from "../paper/tables.ts";
import { valueOf } from "../printed.ts";
import { arithmeticClaims } from "./arithmetic.ts";
import { admissibleShapes } from "./stageShapes.ts";
import { flm101bParameters } from "./text.ts";

const claims = new Map(arithmeticClaims().map((claim) => [claim.id, claim]));

describe("arithmeticClaims", () => {
  it("has every arithmetic and every inconsistent row once", () => {
    expect([...claims.keys()].toSorted()).toEqual(
      [
        "cost.gpt3", "cost.llama2-13b", "cost.llama2-7b", "cost.llama-13b", "cost.llama-7b", "cost.glm-130b", "cost.flm-total",
        "cost.flm-languages", "cost.glm-ratio", "cost.tenth-of-flops", "schedule.days", "schedule.tokens", "schedule.scratch-days",
        "schedule.saving-equal-tokens", "schedule.linear-half", "schedule.steps", "hardware.gpus", "hardware.utilisation",
        "hardware.glm-utilisation", "hardware.goodput", "money.budget", "carbon.gpu-hours", "carbon.energy-row", "carbon.flm",
        "carbon.pue-mixed", "batch.tokens-101b", "text.llama2-13b-cost", "text.english-tokens", "text.emoji", "tables.averages",
        "params.101b",
      ].toSorted(),
    );
    expect(arithmeticClaims()).toHaveLength(claims.size);
  });

  it.each([
    ["cost.gpt3", "376.41 +- 53.77 zettaFLOPs"],
    ["cost.llama2-13b", "201.37 +- 28.77 zettaFLOPs"],
    ["cost.llama2-7b", "106.60 +- 15.23 zettaFLOPs"],
    ["cost.llama-13b", "94.81 +- 13.54 zettaFLOPs"],
    ["cost.llama-7b", "49.54 +- 7.08 zettaFLOPs"],
    ["cost.glm-ratio", "7.47 times"],
    ["schedule.days", "21.54 days"],
    ["schedule.scratch-days", "76.74 days (76.77 with the rate unrounded)"],
    ["schedule.saving-equal-tokens", "72 % time saved, 3.56x"],
    ["schedule.linear-half", "50 %"],
    ["schedule.steps", "52,000 / 8,400 / 6,000"],
    ["hardware.gpus", "192 = 192 = 192"],
    ["hardware.goodput", "58.03 zettaFLOPs of throughput x time; goodput 0.91"],
    ["carbon.energy-row", "1171.5, 1066.9, 3179.4, 444.0, 688.0, 40.4 MWh"],
    ["params.101b", "blocks 100.66B; with biases, norms and one embedding 101.70B"],
  ])("%s equals the printed digits: %s", (id, measured) => {
    expect(claims.get(id)).toMatchObject({ measured, verdict: "exact" });
  });

  it.each([
    // Off by one in the last digit, or with an input that the paper leaves out.
    ["cost.glm-130b", "421.59 zettaFLOPs; half 210.79"],
    ["cost.flm-languages", "28.23 English, 24.53 Chinese"],
    ["schedule.tokens", "311.55 billion tokens"],
    ["hardware.utilisation", "51.92 / 51.28 / 52.88 %"],
    ["money.budget", "1.01 USD per GPU-hour implied over 99,256 hours"],
    ["carbon.flm", "25.8 tCO2e (inferred PUE and grid)"],
    ["tables.averages", "25 equal to the digit; Table 4 Llama-2 13B 58.67 for 58.66; Table 5 ChatGPT 54.3 for 54.4"],
  ])("%s is reproduced inside its interval: %s", (id, measured) => {
    expect(claims.get(id)).toMatchObject({ measured, verdict: "reproduced" });
  });

  it.each([
    ["cost.tenth-of-flops", "14.0 % of GPT-3 175B, 12.5 % of GLM-130B"],
    ["hardware.glm-utilisation", "43.27 %"],
    ["carbon.gpu-hours", "99,256 GPU-hours"],
    ["carbon.pue-mixed", "implied PUE 1.10, 1.08, 1.08, 1.00, 1.10, 1.11"],
    ["batch.tokens-101b", "4.42M tokens"],
    ["text.llama2-13b-cost", "201.37 zettaFLOPs"],
    ["text.english-tokens", "0.1667T"],
  ])("%s is contradicted: %s", (id, measured) => {
    expect(claims.get(id)).toMatchObject({ measured, verdict: "contradicted" });
  });

  it("finds the swapped code points from the glyphs", () => {
    expect(claims.get("text.emoji")).toMatchObject({ verdict: "contradicted" });
    expect(claims.get("text.emoji")!.measured).toContain("is U+1F608");
  });

  it("gives the total cost as a range over admissible stage shapes that holds the printed one", () => {
    const total = claims.get("cost.flm-total")!;
    expect(total.verdict).toBe("reproduced");
    expect(total.interval![0]).toBeLessThan(52.76);
    expect(total.interval![1]).toBeGreaterThan(52.76);
    // Not so wide that it says nothing.
    expect(total.interval![1] - total.interval![0]).toBeLessThan(5);
  });

  it("states formula, every input and its source", () => {
    for (const claim of claims.values()) {
      expect(claim.derivation.formula, claim.id).not.toBe("");
      for (const input of claim.derivation.inputs) {
        expect(claim.workings, claim.id).toContain(`${input.name} = ${input.value} (${input.source})`);
      }
    }
  });

  it("recomputes: other printed figures give other verdicts", () => {
    const wrong: PaperTables = { ...flm101b, schedule: { ...flm101b.schedule, totalDays: "21.64" } };
    expect(arithmeticClaims(wrong).find((claim) => claim.id === "schedule.days")!.verdict).toBe("contradicted");
    const fixed: PaperTables = { ...flm101b, rival: { ...flm101b.rival, utilisationPercent: "43.27" } };
    expect(arithmeticClaims(fixed).find((claim) => claim.id === "hardware.glm-utilisation")!.verdict).toBe("exact");
  });
});

describe("admissibleShapes", () => {
  const at = (nominalParameters: number, tensorParallel: number, pipelineParallel: number) =>
    admissibleShapes({ nominalParameters, tensorParallel, pipelineParallel, vocabSize: 100256, tolerance: 0.04, largest: { numLayers: 80, hiddenSize: 10240 }, headDim: 128 })
      .map(({ numLayers, hiddenSize }) => `${numLayers}x${hiddenSize}`);

  it("contains the plain shapes near 16B and 51B", () => {
    expect(at(16e9, 2, 1)).toEqual(expect.arrayContaining(["48x5120", "80x4096", "28x6656"]));
    expect(at(51e9, 4, 2)).toEqual(expect.arrayContaining(["64x8192", "80x7168"]));
  });
  it("has only shapes that the layout divides", () => {
    for (const shape of at(51e9, 4, 2)) {
      const [numLayers, hiddenSize] = shape.split("x").map(Number);
      expect((hiddenSize! / 128) % 4).toBe(0);
      expect(numLayers! % 2).toBe(0);
    }
  });
});

describe("compute against days (6ND, throughput)", () => {
  it.each([
    ["16B", 23.56, 8.77, 1.099],
    ["51B", 12.13, 4.57, 1.175],
    ["101B", 16.08, 5.88, 1.113],
  ])("stage %s: %d zettaFLOPs, %d days at the printed rate, claimed %d times that", (name, zetta, days, ratio) => {
    const stage = flm101b.stages.find((row) => row.name === name)!;
    const flops = 6 * stage.parametersB * 1e9 * valueOf(stage.tokensB) * 1e9;
    const daysAtRate = flops / (192 * valueOf(stage.tflops) * 1e12) / 86400;
    expect(flops / ZETTA / zetta).toBeCloseTo(1, 3);
    expect(daysAtRate / days).toBeCloseTo(1, 2);
    expect(valueOf(stage.days) / daysAtRate / ratio).toBeCloseTo(1, 3);
  });
  it("leaves 16.69 zettaFLOPs to the last stage and 58.03 to throughput times time", () => {
    const lastStage = megatronFlops({ numLayers: 80, hiddenSize: 10240, ...flm101b.cluster }, valueOf(flm101b.stages.at(-1)!.tokensB) * 1e9);
    expect((lastStage / ZETTA).toFixed(2)).toBe("16.69");
    expect((throughputFlops(flm101b) / ZETTA).toFixed(2)).toBe("58.03");
  });
  it("counts the released shape as 101.7 billion parameters with its padded vocabulary", () => {
    expect(flm101bParameters().total).toBe(80 * (12 * 10240 ** 2 + 13 * 10240) + (100352 + 2) * 10240);
  });
});
