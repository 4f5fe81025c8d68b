import { random } from "@espalier/core";
import { modelConfig } from "@espalier/spec/model";
import type { ReportArm } from "@espalier/spec/run";
import { describe, expect, it } from "vitest";
import { calibrateGrowth } from "./calibrateGrowth.ts";
import { chinchillaLoss, epochChinchilla } from "./chinchilla.ts";
import { growthLoss } from "./growthLaw.ts";

const model = modelConfig({ family: "flm", vocabSize: 1024, seqLen: 128, numLayers: 2, residualDim: 48, numKvHeads: 2 });
const truth = { ...epochChinchilla, E: 1.2, A: 80, B: 400 };
const known = { lossJump: 0.02, retention: 0.85, transfer: 0.3 };

const arm = (role: ReportArm["role"], seed: number, stages: { parameters: number; tokens: number }[], losses: number[]): ReportArm => ({
  id: `${role}/${seed}`, role, title: role, seed, learningRate: 1, curve: [],
  growths: stages.slice(1).map(() => ({ tokens: 0, flops: 0, seconds: 0, step: 0, operators: {}, lossBefore: 3, lossAfter: 3 + known.lossJump, logitChange: 0, proof: { logits: true, gradients: true, needsGates: true, refusals: [] } })),
  stages: stages.map(({ parameters, tokens }, i) => ({ name: `${i}`, model, numParameters: parameters, tokens, flops: 6 * parameters * tokens, validationLoss: losses[i]!, bitsPerByte: 2, iq: [] })),
  finalLoss: losses.at(-1)!, bitsPerByte: 2, tokens: stages.reduce((sum, s) => sum + s.tokens, 0), flops: 1, seconds: 1, predictedSeconds: 1, joules: 1, usd: 1, checkpointDigest: "",
});

/** Arms that obey the law with known effects, and noise of `spread` nats. */
function arms(spread: number, seeds: number): ReportArm[] {
  const draws = random(5, "calibrateGrowth.test").sequence();
  const noise = () => spread * (draws.uniform() + draws.uniform() + draws.uniform() - 1.5) * 2;
  const fixed = [[2e5, 2e6], [2e5, 6e6], [6e5, 3e6], [6e5, 8e6], [1.2e6, 4e6], [1.2e6, 1e7]].map(([N, D], i) => arm(i < 4 ? "pilot" : "scratch bar", i, [{ parameters: N!, tokens: D! }], [chinchillaLoss(N!, D!, truth) + noise()]));
  const schedules = [[{ parameters: 2e5, tokens: 4e6 }, { parameters: 6e5, tokens: 2e6 }, { parameters: 1.2e6, tokens: 2e6 }], [{ parameters: 2e5, tokens: 6e6 }, { parameters: 1.2e6, tokens: 3e6 }]];
  const grown = Array.from({ length: seeds }, (_, seed) => schedules.map((stages, k) => arm(k === 0 ? "growth three stages" : "growth one hop", seed, stages, stages.map((_s, i) => growthLoss(stages.slice(0, i + 1), { constants: truth, ...known }).loss + noise())))).flat();
  return [...fixed, ...grown];
}

describe("calibrateGrowth", () => {
  it("recovers the law that made the runs", () => {
    const found = calibrateGrowth({ arms: arms(0, 3) });
    expect(found.constants.E).toBeCloseTo(truth.E, 6);
    expect(found.constants.B / truth.B).toBeCloseTo(1, 6);
    expect(found.effects.lossJump).toBeCloseTo(0.02, 9);
    expect(found.errors.heldOut!).toBeLessThan(0.004);
    expect(found.errors.heldOut!).toBeLessThan(found.errors.lossMatching / 3);
    expect(found.errors.heldOut!).toBeLessThan(found.errors.naive / 3);
  });
  it("has intervals that hold the truth under noise, wider with fewer runs", () => {
    const many = calibrateGrowth({ arms: arms(0.005, 5) });
    const few = calibrateGrowth({ arms: arms(0.005, 1) });
    for (const { intervals } of [many]) {
      expect(intervals.transfer[0]).toBeLessThan(known.transfer + 0.2);
      expect(intervals.transfer[1]).toBeGreaterThan(known.transfer - 0.2);
    }
    expect(few.intervals.transfer[1] - few.intervals.transfer[0]).toBeGreaterThan(many.intervals.transfer[1] - many.intervals.transfer[0]);
    expect(few.errors.heldOut).toBeNull();
    expect(few.warnings).toContain("one seed: nothing was held out");
  });
  it("keeps ways of growing apart, each with what it keeps and adds", () => {
    // The one hop now keeps less and teaches more than the three stages.
    const hop = { lossJump: 0.5, retention: 0.6, transfer: 0.8 };
    const changed = arms(0, 3).map((a) => {
      if (a.role !== "growth one hop") return a;
      const stages = a.stages.map(({ numParameters, tokens }) => ({ parameters: numParameters, tokens }));
      const losses = stages.map((_s, i) => growthLoss(stages.slice(0, i + 1), { constants: truth, ...hop }).loss);
      return { ...arm(a.role, a.seed, stages, losses), growths: a.growths.map((growth) => ({ ...growth, operators: { depth: "stack" }, lossAfter: growth.lossBefore + hop.lossJump })) };
    });
    const { byRole, errors } = calibrateGrowth({ arms: changed });
    const [stages, oneHop] = byRole;
    expect([stages!.role, oneHop!.role]).toEqual(["growth three stages", "growth one hop"]);
    expect(oneHop!.operators).toEqual(["stack"]);
    expect(oneHop!.effects.lossJump).toBeCloseTo(0.5, 9);
    expect(stages!.effects.lossJump).toBeCloseTo(known.lossJump, 9);
    for (const own of byRole) expect(own.heldOut!).toBeLessThan(errors.heldOut!);
    for (const own of byRole) expect(own.heldOut!).toBeLessThan(0.02);
  });
  it("refuses a report without grown runs or without rivals", () => {
    const all = arms(0, 2);
    expect(() => calibrateGrowth({ arms: all.filter((a) => a.stages.length === 1) })).toThrow(/without a grown one/);
    expect(() => calibrateGrowth({ arms: all.filter((a) => a.stages.length > 1) })).toThrow(/0 of fixed size/);
  });
});
