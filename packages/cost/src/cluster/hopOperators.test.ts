import { preset } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { epochChinchilla } from "../laws/chinchilla.ts";
import { growthLoss } from "../laws/growthLaw.ts";
import { predictedSpeedup } from "../laws/transfer.ts";
import { cluster } from "./device.ts";
import { bestOperators, type HopOperators, hopOperators, operatorLaws, undominated } from "./hopOperators.ts";
import { planCluster } from "./planCluster.ts";
import { type ClusterModel, clusterModel } from "./shape.ts";

const target = clusterModel(preset("flm-101b").config);
const wide = (m: ClusterModel, factor: number): ClusterModel => ({ ...m, residualDim: m.residualDim * factor, ffnDim: m.ffnDim * factor, numHeads: m.numHeads * factor, numKvHeads: m.numKvHeads * factor });
const deep = (m: ClusterModel, factor: number): ClusterModel => ({ ...m, numLayers: m.numLayers * factor });
const small = deep(wide(target, 0.5), 0.5);
const names = (from: ClusterModel, to: ClusterModel) => hopOperators(from, to).map(({ operator }) => operator).toSorted();
const hop = (operator: string, retention: number, transfer: number, transferLimit = Infinity): HopOperators => ({ operator, retention, transfer, transferLimit, basis: "assumed", source: "a test" });

describe("hopOperators", () => {
  it("are those that can make the growth", () => {
    expect(names(small, deep(small, 2))).toEqual(["msg", "stack", "zeroDepth"]);
    expect(names(small, deep(small, 1.5))).toEqual(["msg", "zeroDepth"]);
    expect(names(small, wide(small, 2))).toEqual(["hyperCloning", "msg"]);
    expect(names(small, wide(small, 1.5))).toEqual(["msg"]);
    expect(names(small, { ...small, ffnDim: small.ffnDim * 1.5 })).toEqual(["msg", "net2Wider"]);
    expect(names(small, deep(wide(small, 1.5), 2))).toEqual(["msg", "msg + stack", "msg + zeroDepth"]);
    expect(names(small, target)).toContain("hyperCloning + stack");
  });
  it("are none where something shrinks, nothing grows or heads change their size", () => {
    expect(names(target, small)).toEqual([]);
    expect(names(small, small)).toEqual([]);
    expect(names(small, { ...wide(small, 2), numHeads: small.numHeads, headDim: 2 * small.headDim })).toEqual([]);
  });
  it("give back the published speed-ups that they were fitted to", () => {
    const at = (name: string, smallParameters = 1.1e9 / 4) => predictedSpeedup({ smallParameters, smallTokens: 10e9, targetParameters: 1.1e9, targetTokens: 100e9 }, operatorLaws().find(({ operator }) => operator === name)!);
    expect(at("zeroDepth")).toBeCloseTo(46.6, 3);
    expect(at("net2Wider")).toBeCloseTo(-0.7, 3);
    expect(Math.abs(at("stack") - 49.1)).toBeLessThan(10);
  });
  it("take two operators together as their mean by share of the growth, and say that it is assumed", () => {
    const laws = operatorLaws();
    const [msg, stack] = ["msg", "stack"].map((name) => laws.find(({ operator }) => operator === name)!);
    const both = hopOperators(small, deep(wide(small, 2), 4)).find(({ operator }) => operator === "msg + stack")!;
    // Twice the width is four times the parameters, as is four times the depth: half and half.
    expect(both.transfer).toBeCloseTo((msg!.transfer + stack!.transfer) / 2, 12);
    expect(both.retention).toBeCloseTo(Math.sqrt(0.9), 12);
    expect(both.basis).toBe("assumed");
    expect(hopOperators(small, deep(small, 2)).map(({ operator, basis }) => `${operator} ${basis}`)).toEqual(["stack published", "zeroDepth published", "msg fitted"]);
  });
});

describe("bestOperators", () => {
  const keeper = hop("keeper", 1, 0);
  const learner = hop("learner", 0.5, 0.5);
  // With M tokens matched at the growth and D after it, keeper ends at M + D and learner at M / 2 + 1.5 D: even at D = M.
  const matched = growthLoss([{ parameters: 1e9, tokens: 20e9 }, { parameters: 4e9, tokens: 1 }]).equivalentAfterGrowth[0]!;
  const chosen = (tokens: number) => bestOperators([{ parameters: 1e9, tokens: 20e9 }, { parameters: 4e9, tokens }], [[keeper, learner]])[0]!.operator;

  it("changes from what keeps most to what learns fastest where the tokens after growth equal the matched ones", () => {
    expect(chosen(0.99 * matched)).toBe("keeper");
    expect(chosen(1.01 * matched)).toBe("learner");
  });
  it("is the best of all combinations, tried one by one", () => {
    const options = [keeper, learner, hop("late", 0.2, 1.2), hop("limited", 0.9, 0.6, 3)];
    for (const tokens of [[20e9, 5e9, 5e9], [20e9, 2e9, 90e9], [5e9, 60e9, 10e9], [300e9, 40e9, 400e9]]) {
      const stages = [1e9, 3e9, 8e9].map((parameters, i) => ({ parameters, tokens: tokens[i]! }));
      const losses = options.flatMap((a) => options.map((b) => growthLoss(stages, { hops: [a, b] }).loss));
      const best = bestOperators(stages, [options, options]);
      expect(growthLoss(stages, { hops: best, constants: epochChinchilla }).loss).toBe(Math.min(...losses));
      expect(growthLoss(stages, { hops: bestOperators(stages, [undominated(options), undominated(options)]) }).loss).toBe(Math.min(...losses));
    }
  });
  it("keeps one of equals, and drops what another beats in everything", () => {
    expect(undominated([keeper, hop("same", 1, 0), hop("worse", 0.9, 0), learner]).map(({ operator }) => operator)).toEqual(["keeper", "learner"]);
  });
});

describe("planCluster", () => {
  const request = { cluster: cluster("A800-SXM-80GB", 64), target: small, globalBatchSize: 512, budgetUsd: 20_000, deadlineDays: 20, usdPerGpuHour: 1 };
  const grownBy = (size: ClusterModel, laws?: ReturnType<typeof operatorLaws>) => planCluster({ ...request, sizes: [size], ...(laws ? { operatorLaws: laws } : {}) }).best.transfer.stages.map((stage) => stage.grownBy);

  it("names the operator of each growth, and another where the first cannot", () => {
    expect(grownBy(deep(small, 0.5))).toEqual([undefined, expect.objectContaining({ operator: "stack", basis: "published" })]);
    // Eight fifths of the depth: stacking makes whole multiples only.
    expect(grownBy(deep(small, 0.625))[1]).toMatchObject({ operator: "zeroDepth", basis: "published" });
    expect(grownBy(wide(small, 0.5))[1]).toMatchObject({ operator: "hyperCloning", basis: "assumed" });
    expect(grownBy(wide(small, 0.75))[1]).toMatchObject({ operator: "msg", basis: "fitted" });
  });
  it("takes law values of the caller", () => {
    const laws = operatorLaws().map((law) => (law.operator === "msg" ? { ...law, retention: 1, transfer: 0.9, transferLimit: Infinity } : law));
    expect(grownBy(deep(small, 0.5), laws)[1]).toMatchObject({ operator: "msg", transfer: 0.9 });
  });
  it("leaves rivals without growth as they are", () => {
    const { rivals } = planCluster({ ...request, sizes: [deep(small, 0.5)] });
    for (const run of [rivals.scratch, rivals.smaller]) {
      expect(run.stages[0]!.grownBy).toBeUndefined();
      expect(run.loss.transfer).toEqual(run.loss.lossMatching);
    }
  });
});
