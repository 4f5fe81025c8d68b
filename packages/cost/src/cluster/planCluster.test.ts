import { preset } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { type Cluster, cluster } from "./device.ts";
import { clusterGoodput } from "./goodput.ts";
import { growsInto, growthSizes } from "./growthSizes.ts";
import { costedRun, timeSizes } from "./costedRun.ts";
import { paretoFront, planCluster } from "./planCluster.ts";
import { growthCurves } from "./schedules.ts";
import { type Layout, layout, layoutProblems } from "./layout.ts";
import { layoutSpace } from "./layoutSpace.ts";
import { peakMemory } from "./memory.ts";
import { searchLayouts } from "./searchLayouts.ts";
import { type ClusterModel, clusterModel } from "./shape.ts";
import { predictClusterStep } from "./step.ts";

const stages = ["flm-16b", "flm-51b", "flm-101b"].map((name) => clusterModel(preset(name).config));
const target = stages[2]!;
const a800 = cluster("A800-SXM-80GB", 192);
const request = { target, cluster: a800, globalBatchSize: 2304, budgetUsd: 100_000, deadlineDays: 21.54, usdPerGpuHour: 1.0075, sizes: stages };

describe("growthCurves", () => {
  it("gives the paper's schedule its three losses", () => {
    const curves = growthCurves([{ parameters: 16e9, tokens: 245.37e9 }, { parameters: 51e9, tokens: 39.64e9 }, { parameters: 101e9, tokens: 26.54e9 }]);
    expect(curves.naive.value).toBeCloseTo(2.019, 3);
    expect(curves.lossMatching.value).toBeCloseTo(2.062, 3);
    expect(curves.transfer.value).toBeGreaterThan(curves.naive.value);
    expect(curves.transfer.value).toBeLessThan(curves.lossMatching.value);
    expect(curves.naive.low).toBeLessThan(curves.naive.value);
  });
});

describe("searchLayouts", () => {
  it("finds only layouts that fit, fastest first", () => {
    const { best, tried, fitting } = searchLayouts(target, a800, 2304, { keep: 20 });
    expect(fitting).toBeLessThan(tried);
    expect(best.map((choice) => choice.seconds)).toEqual(best.map((choice) => choice.seconds).toSorted((a, b) => a - b));
    for (const choice of best) expect(choice.peakBytes).toBeLessThanOrEqual(80 * 2 ** 30);
  });
  it("is at least as fast as the layout of the paper", () => {
    const found = searchLayouts(target, a800, 2160).best[0]!;
    const paper = predictClusterStep(target, layout({ tensor: 4, pipeline: 4, data: 12, globalBatchSize: 2160 }), a800);
    expect(found.seconds).toBeLessThanOrEqual(paper.seconds);
  });
  it("leaves room for what is fixed", () => {
    const { best } = searchLayouts({ ...target, seqLen: 32_768 }, a800, 48, { fixed: { context: 4, recompute: "full" } });
    expect(best.length).toBeGreaterThan(0);
    for (const { layout: l } of best) expect(l.tensor * l.pipeline * l.data * l.context).toBe(192);
  });
  it.each([
    ["dense, 16 GPUs", stages[0]!, cluster("A800-SXM-80GB", 16), 32],
    ["long sequences", { ...stages[0]!, seqLen: 4096 }, cluster("H100-SXM-80GB", 32), 32],
    ["experts", { ...stages[0]!, numLayers: 16, experts: { numExperts: 8, topK: 2, ffnDim: 8192, sharedFfnDim: 0, numMoeLayers: 16 } }, cluster("H100-SXM-80GB", 16), 32],
  ] satisfies [string, ClusterModel, Cluster, number][])("finds what trying every combination with every check finds: %s", (_, m, c, batch) => {
    const space = layoutSpace(m, c, {});
    let fastest = { seconds: Infinity, layout: undefined as Layout | undefined };
    for (const tensor of space.tensor) for (const pipeline of space.pipeline) for (const context of space.context) for (const expert of space.expert)
      for (const microBatchSize of space.microBatchSize) for (const s of space.schedules) for (const recompute of space.recompute) for (const sharding of space.sharding) {
        const l = layout({ globalBatchSize: batch, tensor, pipeline, context, expert, microBatchSize, ...s, recompute, sharding, data: c.numGpus / (tensor * pipeline * context) });
        const rounds = s.virtualStages > 1 && (m.numLayers % (pipeline * s.virtualStages) !== 0 || (batch / (l.data * microBatchSize)) % pipeline !== 0);
        if (layoutProblems(m, l, c).length > 0 || rounds || (s.schedule !== "1f1b" && pipeline === 1) || (sharding === "full" && pipeline > 1)) continue;
        if (peakMemory(m, l) > c.device.memoryGb * 2 ** 30) continue;
        const { seconds } = predictClusterStep(m, l, c);
        if (seconds < fastest.seconds) fastest = { seconds, layout: l };
      }
    const [found] = searchLayouts(m, c, batch).best;
    expect(found!.seconds).toBeCloseTo(fastest.seconds, 12);
    expect(layoutProblems(m, found!.layout, c)).toEqual([]);
  });
  it("shows how much is missing when nothing fits", () => {
    const { best, smallest } = searchLayouts(target, cluster("A100-SXM-40GB", 8), 8);
    expect(best).toEqual([]);
    expect(smallest!.peakBytes).toBeGreaterThan(40 * 2 ** 30);
  });
});

describe("growthSizes", () => {
  it("ends at the target, and every size can grow into it and divides by 64 under tensor parallelism 8", () => {
    const sizes = growthSizes(target);
    expect(sizes.at(-1)).toEqual(target);
    for (const size of sizes.slice(0, -1)) {
      expect(growsInto(size, target)).toBe(true);
      expect((size.residualDim / 8) % 64).toBe(0);
      expect(size.residualDim / size.numHeads).toBe(128);
    }
  });
});

describe("planCluster", () => {
  const plan = planCluster(request);
  const all = [...Object.values(plan.best), plan.rivals.scratch, plan.rivals.smaller];

  it("spends the budget and no more, in time", () => {
    for (const run of all) {
      expect(run.usd.value).toBeLessThanOrEqual(100_001);
      expect(run.days.value).toBeLessThanOrEqual(21.541);
      expect(run.days.low).toBeLessThan(run.days.value);
      expect(run.usd.value).toBeGreaterThan(99_000);
    }
  });
  it("beats scratch at equal cost under every reading, and shows the smaller rival", () => {
    for (const reading of ["naive", "lossMatching", "transfer"] as const) {
      expect(plan.best[reading].loss[reading].value).toBeLessThan(plan.rivals.scratch.loss[reading].value);
      expect(plan.best[reading].stages.at(-1)!.model).toBe(target);
    }
    expect(plan.rivals.smaller.stages).toHaveLength(1);
    expect(plan.rivals.smaller.loss.lossMatching.value).toBeLessThan(plan.rivals.scratch.loss.lossMatching.value);
  });
  it("finds at least as good a schedule as the paper's own for the same money", () => {
    const { sizes } = timeSizes(stages, a800, 2304);
    const tokens = [245.37e9, 39.64e9, 26.54e9];
    const paper = costedRun("growth", sizes.map((size, i) => ({ size, tokens: tokens[i]! })), a800, clusterGoodput(192), 1.0075, 600);
    expect(paper.usd.value).toBeLessThan(100_000);
    for (const reading of ["naive", "lossMatching", "transfer"] as const) {
      const ours = planCluster({ ...request, budgetUsd: paper.usd.value }).best[reading].loss[reading].value;
      expect(ours).toBeLessThanOrEqual(paper.loss[reading].value + 2e-4);
    }
  });
  it("has a front on which nothing is cheaper, sooner and better than something else", () => {
    expect(plan.front.length).toBeGreaterThan(3);
    for (const a of plan.front) {
      for (const b of plan.front) {
        if (a === b) continue;
        const beaten = b.usd.value < a.usd.value * 0.999 && b.days.value < a.days.value * 0.999 && b.loss.lossMatching.value < a.loss.lossMatching.value;
        expect(beaten).toBe(false);
      }
    }
  });
  it("says what it gains on an incumbent: loss at the same money, money at the same loss", () => {
    const tokens = [245.37e9, 39.64e9, 26.54e9];
    const layouts = [layout({ tensor: 2, data: 96, globalBatchSize: 2304 }), layout({ tensor: 4, pipeline: 2, data: 24, globalBatchSize: 2304 }), layout({ tensor: 4, pipeline: 4, data: 12, globalBatchSize: 2160 })];
    const { gains, rivals } = planCluster({ ...request, incumbent: stages.map((model, i) => ({ model, tokens: tokens[i]!, layout: layouts[i]! })) });
    expect(rivals.incumbent!.stages[2]!.layout.data).toBe(12);
    for (const gain of Object.values(gains!)) {
      expect(gain.nats).toBeGreaterThan(0);
      expect(gain.usdShareAtEqualLoss!).toBeLessThan(1);
    }
  });
  it("uses each token of the data once, and says so", () => {
    const short = planCluster({ ...request, dataTokens: 60e9 });
    for (const run of [...Object.values(short.best), short.rivals.scratch, short.rivals.smaller]) {
      expect(run.stages.reduce((sum, stage) => sum + stage.tokens, 0)).toBeLessThan(60.001e9);
    }
    expect(short.best.lossMatching.usd.value).toBeLessThan(100_001);
    expect(short.warnings.join(" ")).toMatch(/data ends before the money/);
  });
  it("finds the cheapest run for a loss, and none where the money does not reach", () => {
    const loss = plan.rivals.scratch.loss.lossMatching.value;
    const { cheapest } = planCluster({ ...request, targetLoss: loss });
    expect(cheapest!.loss.lossMatching.value).toBeLessThanOrEqual(loss);
    expect(cheapest!.usd.value).toBeLessThan(0.9 * plan.rivals.scratch.usd.value);
    expect(planCluster({ ...request, targetLoss: 1.9 }).cheapest).toBeNull();
  });
  it("trains every stage for a tenth of the time at least: the laws alone would train the target for none", () => {
    for (const run of Object.values(plan.best)) {
      const days = run.stages.map((stage) => stage.days);
      for (const d of days) expect(d / days.reduce((a, b) => a + b)).toBeGreaterThan(0.0999);
    }
  });
  it("keeps of equal runs one, and of beaten runs none", () => {
    const better = { ...plan.rivals.scratch, usd: { low: 1, value: 1, high: 1 } };
    expect(paretoFront([plan.rivals.scratch, better, { ...better }])).toEqual([better]);
  });
  it("chooses FP8 where it may and the device has it, and says that no law knows its loss", () => {
    const h100 = { ...request, cluster: cluster("H100-SXM-80GB", 192) };
    const [either, plain] = [planCluster({ ...h100, precisions: ["bf16", "fp8"] }), planCluster(h100)];
    expect(either.best.lossMatching.stages.at(-1)!.layout.precision).toBe("fp8");
    expect(either.best.lossMatching.loss.lossMatching.value).toBeLessThan(plain.best.lossMatching.loss.lossMatching.value);
    expect(either.warnings.join(" ")).toContain("FP8 is taken to cost no loss");
    expect(plain.warnings.join(" ")).not.toContain("FP8");
    // An A800 has none: the same plan as without.
    expect(planCluster({ ...request, precisions: ["bf16", "fp8"] }).best.lossMatching).toEqual(plan.best.lossMatching);
  });
  it("warns that laws are used outside of what they were fitted to", () => {
    expect(plan.warnings.join(" ")).toMatch(/101\.7 billion.*extrapolated/);
  });
  it("says what does not fit, and refuses to spend nothing", () => {
    expect(() => planCluster({ ...request, cluster: cluster("A100-SXM-40GB", 8) })).toThrow(/does not fit 8 A100-SXM-40GB: the smallest layout needs \d+ of 40 GiB. Take 64 GPUs, where it fits/);
    expect(() => planCluster({ ...request, budgetUsd: 0 })).toThrow(/above 0/);
  });
});
