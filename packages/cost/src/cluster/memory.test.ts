import { preset } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { cluster } from "./device.ts";
import { layout } from "./layout.ts";
import { activationBytesPerToken, calibrateMemory, defaultMemory, microBatchesInFlight, peakMemory, predictClusterMemory, stageMemory } from "./memory.ts";
import { clusterModel, parameterBuckets } from "./shape.ts";

const flm = clusterModel(preset("flm-101b").config);
const a800 = cluster("A800-SXM-80GB", 192);
const paper = layout({ tensor: 4, pipeline: 4, data: 12, globalBatchSize: 2160 });
const bytes = (l: typeof paper, name: string, stage = 0, m = flm) => stageMemory(m, l, stage).parts.find((p) => p.name === name)!.bytes;

describe("activationBytesPerToken", () => {
  it("is Korthikanti's 34 C + 5 N T without flash attention", () => {
    const [whole, divided] = activationBytesPerToken(flm, layout({ globalBatchSize: 1, attention: "unfused" }));
    expect(whole + divided).toBe(34 * flm.residualDim + 5 * flm.numHeads * flm.seqLen);
    expect(whole).toBe(10 * flm.residualDim);
  });
  it("drops the scores with selective and all but the input with full recomputation", () => {
    const of = (recompute: "selective" | "full") => activationBytesPerToken(flm, layout({ globalBatchSize: 1, attention: "unfused", recompute }));
    expect(of("selective").reduce((a, b) => a + b)).toBe(34 * flm.residualDim);
    expect(of("full")).toEqual([2 * flm.residualDim, 0]);
  });
});

describe("microBatchesInFlight", () => {
  it("falls from p on the first stage to 1 on the last", () => {
    expect([0, 1, 2, 3].map((stage) => microBatchesInFlight(paper, stage))).toEqual([4, 3, 2, 1]);
  });
  it("is at most the micro-batches there are", () => {
    expect(microBatchesInFlight({ ...paper, globalBatchSize: 24 }, 0)).toBe(2);
  });
  it("grows by 1 + (p - 1)/(p v) on the first stage when interleaved", () => {
    const l = { ...paper, schedule: "interleaved" as const, virtualStages: 4 };
    // 2 (p - 1) + (v - 1) p + 1 pieces of 1/v.
    expect(microBatchesInFlight(l, 0)).toBe((2 * 3 + 3 * 4 + 1) / 4);
    expect(microBatchesInFlight(l, 0) / 4).toBeCloseTo(1 + 3 / 16, 12);
  });
});

describe("predictClusterMemory", () => {
  it("has parts that sum to each stage", () => {
    for (const stage of predictClusterMemory(flm, paper, a800).stages) {
      expect(stage.parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(stage.bytes);
    }
  });
  it("holds 2 + 4 + 12 bytes a parameter, the last shared out over data-parallel ranks", () => {
    const b = parameterBuckets(flm);
    const perStage = 20 * ((b.attention + b.mlp) / 4 + b.replicated);
    expect(bytes(paper, "weights")).toBe(2 * perStage);
    expect(bytes(paper, "gradients")).toBe(4 * perStage);
    expect(bytes(paper, "optimiser state")).toBe(perStage);
    expect(bytes({ ...paper, sharding: "none" }, "optimiser state")).toBe(12 * perStage);
  });
  it("keeps tables on the first and the last stage and logits on the last", () => {
    expect([0, 1, 3].map((stage) => bytes(paper, "embedding tables", stage) > 0)).toEqual([true, false, true]);
    expect([0, 3].map((stage) => bytes(paper, "logits", stage) > 0)).toEqual([false, true]);
  });
  it("fits the paper's layouts and says what to change where it does not", () => {
    expect(predictClusterMemory(flm, paper, a800)).toMatchObject({ fits: true, advice: [] });
    const tight = predictClusterMemory(flm, { ...paper, microBatchSize: 12 }, a800);
    expect(tight.fits).toBe(false);
    expect(tight.advice[0]).toMatch(/recompute whole layers|micro-batches of one/);
    const hopeless = predictClusterMemory(flm, layout({ data: 192, globalBatchSize: 192, sharding: "none" }), a800);
    expect(hopeless.advice.join()).toMatch(/FSDP/);
  });
  it("puts routed experts in a bucket of their own, divided by expert parallelism", () => {
    const moe = { ...flm, numLayers: 8, experts: { numExperts: 64, topK: 2, ffnDim: 1024, sharedFfnDim: 0, numMoeLayers: 8 } };
    const l = layout({ data: 64, expert: 8, globalBatchSize: 64 });
    const { buckets } = stageMemory(moe, l, 0);
    expect(buckets.routed).toBe((8 * 2 * flm.residualDim * 1024 * 64) / 8);
    expect(stageMemory(moe, { ...l, expert: 64 }, 0).buckets.routed).toBe(buckets.routed / 8);
    expect(buckets.replicated).toBe(8 * (2 * flm.residualDim + 64 * flm.residualDim) + flm.residualDim);
    // Optimiser state of experts is shared out over the ranks that hold the same experts.
    expect(bytes(l, "optimiser state", 0, moe)).toBeGreaterThan((12 * buckets.routed) / 8);
  });
});

describe("calibrateMemory", () => {
  it("reproduces the measured peak and never takes memory away", () => {
    const peak = 1.3 * peakMemory(flm, paper);
    expect(peakMemory(flm, paper, calibrateMemory({ model: flm, layout: paper, bytes: peak }))).toBeCloseTo(peak, -2);
    expect(calibrateMemory({ model: flm, layout: paper, bytes: 1e9 }).extraStateBytes).toBe(defaultMemory.extraStateBytes);
  });
});
