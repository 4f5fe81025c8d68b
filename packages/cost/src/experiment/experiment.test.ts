import { numParameters, trainingFlopsPerToken } from "@espalier/spec/model";
import { stageSchema } from "@espalier/spec/plan";
import { describe, expect, it } from "vitest";
import { arms, controlOverOneHop, LAST_STAGE, stageShares } from "./arms.ts";
import { dropLevels } from "./jobs.ts";
import { ladder, numBlockParameters, rivalModels, rungModel, smokeRung, stageModels } from "./ladder.ts";
import { schedule } from "./schedule.ts";

const text = { vocabSize: 1024, seqLen: 128 };
const tokensPerStep = 1024;

describe("ladder", () => {
  it("rises, with layers divisible by four, an even number of heads and head sizes 12 to 32", () => {
    for (const { numLayers, residualDim, headDim } of [...ladder, smokeRung]) {
      expect(numLayers % 4).toBe(0);
      expect((residualDim / headDim) % 2).toBe(0);
      expect(headDim % 2).toBe(0);
      expect(headDim).toBeGreaterThanOrEqual(12);
      expect(headDim).toBeLessThanOrEqual(32);
    }
    const sizes = ladder.map(numBlockParameters);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  });
  it.each([...ladder])("L$numLayers C$residualDim has stages near 1 : 3.2 : 6.3 that only grow", (rung) => {
    const [first, second, final] = stageModels(rung, text) as [ReturnType<typeof rungModel>, ReturnType<typeof rungModel>, ReturnType<typeof rungModel>];
    expect(Math.abs(Math.log(numParameters(first) / numParameters(final) / (16 / 101)))).toBeLessThan(0.35);
    expect(Math.abs(Math.log(numParameters(second) / numParameters(final) / (51 / 101)))).toBeLessThan(0.25);
    for (const [small, large] of [[first, second], [second, final]] as const) {
      expect(small.numLayers).toBeLessThanOrEqual(large.numLayers);
      expect(small.residualDim).toBeLessThanOrEqual(large.residualDim);
      expect(small.headDim).toBe(large.headDim);
      expect(numParameters(small)).toBeLessThan(numParameters(large));
    }
    expect(first.numLayers).toBeGreaterThanOrEqual(rung.numLayers / 4);
  });
  it.each([...ladder, smokeRung])("L$numLayers C$residualDim has five different rivals that the layout accepts", (rung) => {
    expect(new Set(rivalModels(rung, text).map(({ numLayers, residualDim }) => `${numLayers}x${residualDim}`)).size).toBe(5);
  });
});

describe("arms", () => {
  it.each([...ladder, smokeRung])("keep the proportions of the experiment at L$numLayers C$residualDim", (target) => {
    const sizes = arms({ target, text, tokensPerStep: 512, tokensPerParameter: 1.3, oneHopOperator: "stack", seed: 0 });
    const { control, threeStages, oneHop, equalTokens, rivals } = sizes;
    // Whole steps are worth a few per mille here; the control never has less than its factor.
    expect(control.flops / threeStages.flops).toBeGreaterThanOrEqual(1.3 * 0.999);
    expect(control.flops / threeStages.flops).toBeLessThan(1.3 * 1.06);
    expect(control.flops / oneHop.flops).toBeGreaterThanOrEqual(1.4 * 0.999);
    expect(control.flops / oneHop.flops).toBeLessThan(1.4 * 1.06);
    expect(control.tokens / numBlockParameters(rungModel(target, text))).toBeCloseTo(1.3, 1);
    expect(equalTokens.tokens).toBe(threeStages.tokens);
    for (const rival of rivals) expect(rival.flops / threeStages.flops).toBeCloseTo(1, 1);
    expect(sizes.lastStageFlopsShare).toBeGreaterThanOrEqual(LAST_STAGE.least * 0.97);
    const shares = threeStages.stages.map((stage) => stage.tokens / threeStages.tokens);
    expect(shares[0]!).toBeGreaterThan(0.7);
    const smallShare = (trainingFlopsPerToken(oneHop.stages[0]!.model) * oneHop.stages[0]!.tokens) / oneHop.flops;
    expect(smallShare).toBeGreaterThan(0.5);
    expect(smallShare).toBeLessThan(0.6);
  });
  it("have stages that the plan schema accepts, with an operator for each axis that grows", () => {
    const { threeStages, oneHop } = arms({ target: ladder[3]!, text, tokensPerStep, tokensPerParameter: 1.3, oneHopOperator: "zeroDepth", seed: 7 });
    for (const stage of [...threeStages.stages, ...oneHop.stages]) expect(stageSchema.parse(stage)).toEqual(stage);
    for (const [i, stage] of threeStages.stages.entries()) {
      if (i === 0) continue;
      const before = threeStages.stages[i - 1]!.model;
      expect("depth" in stage.growth!.operators).toBe(before.numLayers !== stage.model.numLayers);
      expect("residual" in stage.growth!.operators).toBe(before.residualDim !== stage.model.residualDim);
    }
    expect(oneHop.stages[1]!.growth!.operators).toEqual({ depth: "zeroDepth" });
    expect(oneHop.stages[1]!.learningRate).toBe("restart");
    expect(oneHop.stages[1]!.model.numLayers).toBe(4 * oneHop.stages[0]!.model.numLayers);
  });
});

describe("stageShares", () => {
  const models = stageModels(ladder[6]!, text);
  it("keeps the paper's shares where the last stage has a quarter of the FLOPs", () => {
    expect(stageShares(models)).toEqual([0.788, 0.127, 0.085]);
  });
  it("gives the last stage 30 % of the FLOPs otherwise, the others keep their ratio", () => {
    const shares = stageShares(models, [0.9, 0.08, 0.02]);
    const flops = shares.map((share, i) => share * trainingFlopsPerToken(models[i]!));
    expect(flops[2]! / flops.reduce((a, b) => a + b)).toBeCloseTo(0.3, 9);
    expect(shares[0]! / shares[1]!).toBeCloseTo(0.9 / 0.08, 9);
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  });
});

describe("controlOverOneHop", () => {
  it("is 1.4 up to 1.5 tokens per parameter, 1.2 from 3 on and falls between", () => {
    expect(controlOverOneHop(1)).toBe(1.4);
    expect(controlOverOneHop(1.5)).toBe(1.4);
    expect(controlOverOneHop(2)).toBeGreaterThan(1.2);
    expect(controlOverOneHop(2)).toBeLessThan(1.4);
    expect(controlOverOneHop(3)).toBeCloseTo(1.2, 12);
    expect(controlOverOneHop(9)).toBeCloseTo(1.2, 12);
  });
});

describe("dropLevels", () => {
  it("drops seeds of (a1), then the sweep, then the one-hop arm, one at a time", () => {
    const levels = dropLevels(3);
    expect(levels.map((level) => Object.values(level.kept))).toEqual([
      [3, 5, true], [2, 5, true], [1, 5, true], [1, 4, true], [1, 3, true], [1, 3, false],
    ]);
    expect(levels.map((level) => level.dropped.length)).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe("schedule", () => {
  const job = (id: string, seconds: number, ...dependsOn: string[]) => ({ id, seconds, dependsOn });

  it("fills two threads with the longest work first", () => {
    expect(schedule([job("a", 3), job("b", 3), job("c", 2), job("d", 2), job("e", 2)], 2).makespanSeconds).toBe(7);
    expect(schedule([job("a", 4), job("b", 3), job("c", 1)], 2).makespanSeconds).toBe(4);
  });
  it("starts no job before those it waits for have ended, and never two on one thread", () => {
    const jobs = [job("a", 2), job("b", 5), job("c", 1, "a", "b"), job("d", 4, "a"), job("e", 1, "d", "c")];
    const placed = new Map(schedule(jobs, 2).jobs.map((row) => [row.id, row]));
    for (const { id, dependsOn, seconds } of jobs) {
      const row = placed.get(id)!;
      expect(row.end - row.start).toBe(seconds);
      for (const before of dependsOn) expect(row.start).toBeGreaterThanOrEqual(placed.get(before)!.end);
      for (const other of placed.values()) {
        if (other.id !== id && other.thread === row.thread) expect(other.end <= row.start || other.start >= row.end).toBe(true);
      }
    }
    expect(placed.get("e")!.end).toBe(7);
  });
  it("refuses a wait for nothing and a circle", () => {
    expect(() => schedule([job("a", 1, "b")], 1)).toThrow(/a: waits for b, which is not among the jobs/);
    expect(() => schedule([job("a", 1, "b"), job("b", 1, "a")], 1)).toThrow(/waits for itself/);
  });
});
