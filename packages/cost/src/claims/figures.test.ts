import { describe, expect, it } from "vitest";
import { megatronFlopsRange, ZETTA } from "../flops.ts";
import { chinchillaLoss } from "../laws/chinchilla.ts";
import { growthLoss, scratchFlopsToLoss } from "../laws/growthLaw.ts";
import { chipMwh, gpuHours, growthStages, throughputFlops, totalDays, totalTokensB } from "../paper/quantities.ts";
import { flm101b } from "../paper/tables.ts";
import { valueOf } from "../printed.ts";

/** Figures of FLM-101B's cost section and of what follows from its tables, to the digit that each is stated with. */
const stages = growthStages(flm101b);
const work = stages.map(({ parameters, tokens }) => (6 * parameters * tokens) / ZETTA);
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

describe("cost of published models, without and with full recomputation", () => {
  it.each([
    ["gpt3", "322.63", "430.18"],
    ["llama2-13b", "172.60", "230.14"],
    ["llama2-7b", "91.37", "121.83"],
    ["llama-13b", "81.27", "108.36"],
    ["llama-7b", "42.47", "56.62"],
    ["glm-130b", "316.19", "421.59"],
  ])("%s: %s and %s zettaFLOPs", (id, low, high) => {
    const row = flm101b.costs.find((cost) => cost.id === id)!;
    const range = megatronFlopsRange(row, row.tokens);
    expect([(range.low / ZETTA).toFixed(2), (range.high / ZETTA).toFixed(2)]).toEqual([low, high]);
  });
  it("leaves 36.07 for the first two stages, 1.011 times 6 N D", () => {
    const last = megatronFlopsRange({ numLayers: 80, hiddenSize: 10240, ...flm101b.cluster }, stages[2]!.tokens);
    expect([(last.low / ZETTA).toFixed(2), (last.high / ZETTA).toFixed(2)]).toEqual(["16.69", "22.25"]);
    const rest = valueOf(flm101b.flmCost.total) - last.low / ZETTA;
    expect(rest.toFixed(2)).toBe("36.07");
    expect((rest / (work[0]! + work[1]!)).toFixed(3)).toBe("1.011");
  });
});

describe("compute against days", () => {
  const perStage = flm101b.stages.map((stage, i) => {
    const seconds = (factor: number) => (factor * work[i]! * ZETTA) / (192 * valueOf(stage.tflops) * 1e12) / 86400;
    return { days: seconds(1), daysFull: seconds(4 / 3), claimed: valueOf(stage.days), tokensPerDay: valueOf(stage.tokensB) / valueOf(stage.days), throughput: (192 * valueOf(stage.tflops) * 1e12 * valueOf(stage.days) * 86400) / ZETTA };
  });
  it.each([
    [0, "23.56", "31.41", "8.77", "11.69", "1.099", "25.48", "25.88"],
    [1, "12.13", "16.17", "4.57", "6.09", "1.175", "7.38", "14.25"],
    [2, "16.08", "21.44", "5.88", "7.83", "1.113", "4.06", "17.90"],
  ])("stage %i", (i, six, eight, days, daysFull, ratio, tokensPerDay, throughput) => {
    const row = perStage[i]!;
    const within = (value: number, printed: string) => expect(Math.abs(value / Number(printed) - 1), printed).toBeLessThan(0.0011);
    within(work[i]!, six);
    within((4 / 3) * work[i]!, eight);
    within(row.days, days);
    within(row.daysFull, daysFull);
    within(row.claimed / row.days, ratio);
    within(row.tokensPerDay, tokensPerDay);
    expect(row.throughput.toFixed(2)).toBe(throughput);
  });
  it("sums to 51.77 and 69.02 zettaFLOPs, 19.2 and 25.6 days, 1.121 times as many claimed", () => {
    expect([sum(work).toFixed(2), ((4 / 3) * sum(work)).toFixed(2)]).toEqual(["51.77", "69.02"]);
    expect([sum(perStage.map(({ days }) => days)).toFixed(1), sum(perStage.map(({ daysFull }) => daysFull)).toFixed(1)]).toEqual(["19.2", "25.6"]);
    expect((sum(perStage.map(({ claimed }) => claimed)) / sum(perStage.map(({ days }) => days))).toFixed(3)).toBe("1.121");
    expect((valueOf(flm101b.flmCost.total) / sum(work)).toFixed(3)).toBe("1.019");
  });
  it("leaves a goodput of 0.909, or 147.7 TFLOP/s and 47.3 % of peak end to end", () => {
    const total = valueOf(flm101b.flmCost.total);
    expect((total / (throughputFlops(flm101b) / ZETTA)).toFixed(3)).toBe("0.909");
    const average = (total * ZETTA) / (192 * totalDays(flm101b).value * 86400) / 1e12;
    expect(average.toFixed(1)).toBe("147.7");
    expect(((100 * average) / valueOf(flm101b.cluster.peakTflops)).toFixed(1)).toBe("47.3");
  });
  it("at equal tokens saves 3.65 times the FLOPs, at equal predicted loss 1.66 times", () => {
    const scratch = (6 * 101e9 * totalTokensB(flm101b).value * 1e9) / ZETTA;
    expect(scratch.toFixed(1)).toBe("188.8");
    expect((scratch / sum(work)).toFixed(2)).toBe("3.65");
    const { loss } = growthLoss(stages);
    expect((scratchFlopsToLoss(101e9, loss) / ZETTA / sum(work)).toFixed(2)).toBe("1.66");
    expect(chinchillaLoss(101e9, 85.4e9).toFixed(3)).toBe("2.097");
  });
});

describe("hours, money, energy and carbon", () => {
  it("has 99,256 hours, 1.0075 dollars each, 0.990 over the printed hours, which are 21.92 days", () => {
    const { value } = gpuHours(flm101b);
    expect(Math.round(value)).toBe(99_256);
    expect((100_000 / value).toFixed(4)).toBe("1.0075");
    expect((100_000 / 1.01e5).toFixed(3)).toBe("0.990");
    expect((1.01e5 / 192 / 24).toFixed(2)).toBe("21.92");
    expect(Math.round(24.6 * 48)).toBe(1181);
    expect(Math.round(value + 24.6 * 48)).toBe(100_437);
  });
  it.each([
    ["GPT-3", "1171.5", "0.471"],
    ["Gopher", "1066.9", "0.356"],
    ["PaLM", "3179.4", "0.085"],
    ["GLM-130B", "444.0", "0.579"],
    ["Llama-2", "688.0", "0.423"],
    ["FLM-101B", "40.4", "0.644"],
  ])("%s: %s MWh and %s t a MWh", (name, mwh, ratio) => {
    const column = flm101b.carbon.columns.find((c) => c.name === name)!;
    expect(chipMwh(column).toFixed(1)).toBe(mwh);
    expect((valueOf(column.tonnes) / chipMwh(column)).toFixed(3)).toBe(ratio);
  });
  it("gives GLM-130B 283.8 t with the PUE of its neighbours, and FLM-101B 25.8 t", () => {
    expect((chipMwh(flm101b.carbon.columns[3]!) * 0.581 * 1.1).toFixed(1)).toBe("283.8");
    expect((chipMwh(flm101b.carbon.columns[5]!) * 0.581 * 1.1).toFixed(1)).toBe("25.8");
  });
});
