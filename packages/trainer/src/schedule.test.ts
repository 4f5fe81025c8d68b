import { describe, expect, it } from "vitest";
import { expectTrainablePlan, learningRateSchedule, stageStarts, totalSteps } from "./schedule.ts";
import { tinyPlan } from "./testing/runs.ts";

const base = tinyPlan();
const [small, middle, large] = base.stages;
const optimizer = { ...base.optimizer, peakLearningRate: 1, finalShare: 0.1, warmupSteps: 3 };
const rates = (plan: typeof base) => Array.from({ length: totalSteps(plan) }, (_, step) => learningRateSchedule(plan)(step));

describe("stageStarts", () => {
  it("rounds tokens to whole steps", () => {
    expect(stageStarts(base)).toEqual([0, 6, 13, 19]);
  });
});

describe("learningRateSchedule", () => {
  it("warms up linearly and ends at the final share, with one cosine over all stages that inherit", () => {
    const plain = rates({ ...base, optimizer, stages: [small!, middle!, { ...large!, growth: { ...large!.growth!, rewarmSteps: 0 } }] });
    expect(plain.slice(0, 3)).toEqual([1 / 3, 2 / 3, 1]);
    expect(plain[10]).toBeCloseTo(0.1 + 0.9 * 0.5, 12); // 8 of 16 steps after warm-up: half way down
    expect(plain.at(-1)).toBeCloseTo(0.1, 12);
    for (let step = 3; step < 19; step++) expect(plain[step]!).toBeLessThan(plain[step - 1]!);
  });

  it("multiplies by a linear re-warm-up after a growth that inherits", () => {
    const plan = { ...base, optimizer };
    const without = { ...plan, stages: [small!, middle!, { ...large!, growth: { ...large!.growth!, rewarmSteps: 0 } }] };
    const ratio = rates(plan).map((rate, step) => rate / rates(without)[step]!);
    expect(ratio).toEqual([...Array(13).fill(1), 0.5, 1, 1, 1, 1, 1]);
  });

  it("stays at the peak until a stage that restarts, which has its own warm-up and cosine", () => {
    const restart = { ...large!, learningRate: "restart" as const, growth: { ...large!.growth!, rewarmSteps: 2 } };
    const plan = { ...base, optimizer, stages: [small!, middle!, restart] };
    const got = rates(plan);
    expect(got.slice(2, 13)).toEqual(Array(11).fill(1));
    expect(got.slice(13, 15)).toEqual([0.5, 1]);
    expect(got[16]).toBeCloseTo(0.1 + 0.9 * 0.5, 12);
    expect(got.at(-1)).toBeCloseTo(0.1, 12);
  });
});

describe("expectTrainablePlan", () => {
  it("refuses a stage with another sequence length", () => {
    expectTrainablePlan(base);
    const longer = { ...middle!, model: { ...middle!.model, seqLen: 16 } };
    expect(() => expectTrainablePlan({ ...base, stages: [small!, longer] })).toThrow(/stages\.1\.model\.seqLen: 16, expected 8 as in stage 0/);
  });
});
