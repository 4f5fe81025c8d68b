import { preset } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { megatronFlops } from "../flops.ts";
import { flopsPerToken, teraflops } from "./conventions.ts";
import { cluster } from "./device.ts";
import { layout, layoutProblems } from "./layout.ts";
import { clusterModel, type ClusterModel, parameterBuckets } from "./shape.ts";
import { predictClusterStep } from "./step.ts";

const flm = clusterModel(preset("flm-101b").config);
const a800 = cluster("A800-SXM-80GB", 192);
const paper = layout({ tensor: 4, pipeline: 4, data: 12, globalBatchSize: 2160 });
const seconds = (m: ClusterModel, l: typeof paper, c = a800) => predictClusterStep(m, l, c).seconds;
const part = (l: typeof paper, name: string, m = flm, c = a800) => predictClusterStep(m, l, c).parts.find((p) => p.name === name)!.seconds;

describe("predictClusterStep", () => {
  it("is exactly the sum of its named parts, each with formula and source", () => {
    const step = predictClusterStep(flm, paper, a800);
    expect(step.parts.reduce((sum, p) => sum + p.seconds, 0)).toBe(step.seconds);
    for (const p of step.parts) expect(p.formula.length * p.source.length).toBeGreaterThan(0);
  });
  it("never beats the best measured product", () => {
    expect(teraflops(flm, paper, a800, seconds(flm, paper)).megatron).toBeLessThan(a800.device.matmulTflops);
  });
  it("comes within 20 % of the step that FLM-101B printed (165 TFLOP/s a GPU)", () => {
    const printed = teraflops(flm, paper, a800, 1).megatron / 165;
    expect(Math.abs(seconds(flm, paper) / printed - 1)).toBeLessThan(0.2);
  });
  it("has the textbook bubble: (p - 1)/m of the other work of a balanced pipeline, over v when interleaved", () => {
    // A small vocabulary balances the stages; transfers are part of the bubble, so compare shares.
    const m = { ...flm, vocabSize: 128 };
    const bubble = (v: number) => {
      const l = { ...paper, virtualStages: v, schedule: v > 1 ? ("interleaved" as const) : ("1f1b" as const) };
      const { parts } = predictClusterStep(m, l, a800);
      const steady = parts.slice(0, 9).reduce((sum, p) => sum + p.seconds, 0);
      return parts.find((p) => p.name === "pipeline bubble")!.seconds / steady;
    };
    expect(bubble(1)).toBeCloseTo(3 / 180, 3);
    expect(bubble(1) / bubble(4)).toBeCloseTo(4, 0);
  });
  it("shrinks the bubble further with zero-bubble scheduling", () => {
    expect(part({ ...paper, schedule: "zeroBubble" }, "pipeline bubble")).toBeLessThan(0.6 * part(paper, "pipeline bubble"));
  });
  it("pays about a forward pass for full recomputation", () => {
    const none = part(paper, "matrix products") + part(paper, "attention core");
    const again = part({ ...paper, recompute: "full" }, "recomputation");
    expect(again / none).toBeGreaterThan(0.3);
    expect(again / none).toBeLessThan(0.42);
  });
  it("slows tensor parallelism down when it leaves the node", () => {
    const inside = { ...paper, tensor: 8, pipeline: 2, data: 12 };
    const outside = { ...paper, tensor: 16, pipeline: 1, data: 12 };
    expect(part(outside, "tensor parallel collectives")).toBeGreaterThan(2 * part(inside, "tensor parallel collectives"));
  });
  it("is faster with FP8 where the device has it", () => {
    const h100 = cluster("H100-SXM-80GB", 192);
    expect(seconds(flm, { ...paper, precision: "fp8" }, h100)).toBeLessThan(0.8 * seconds(flm, paper, h100));
  });
  it("hides the reduction of gradients when told so", () => {
    expect(part({ ...paper, overlapData: "none" }, "data parallel collectives")).toBeGreaterThan(1.5 * part(paper, "data parallel collectives"));
  });
  it("splits long sequences over ranks", () => {
    const long = { ...flm, seqLen: 65536 };
    const l = { ...paper, data: 3, context: 4, globalBatchSize: 48 };
    expect(part(l, "context parallel exchange", long)).toBeGreaterThan(0);
    // The same tokens a rank and a quarter of the batch's sequences at once: attention does not change.
    const whole = { ...paper, data: 12, globalBatchSize: 48 };
    expect(part(l, "attention core", long) / part(whole, "attention core", long)).toBeCloseTo(1, 1);
  });
  it("counts the experts that a token meets, and moves tokens to them", () => {
    const experts = { numExperts: 64, topK: 2, ffnDim: flm.ffnDim / 2, sharedFfnDim: 0, numMoeLayers: 8 };
    const small: ClusterModel = { ...flm, numLayers: 8, residualDim: 2048, numHeads: 16, numKvHeads: 16, ffnDim: 8192 };
    const routed = { ...small, experts: { ...experts, ffnDim: 4096 } };
    const l = layout({ data: 64, expert: 8, globalBatchSize: 512, microBatchSize: 8 });
    const c = cluster("H100-SXM-80GB", 64);
    expect(part(l, "expert all-to-all", routed, c)).toBeGreaterThan(0);
    expect(part(l, "expert all-to-all", small, c)).toBe(0);
    // Two experts of half the size: the products of the dense model, cut into more and smaller ones.
    const ratio = part(l, "matrix products", routed, c) / part(l, "matrix products", small, c);
    expect(ratio).toBeGreaterThan(0.95);
    expect(ratio).toBeLessThan(1.4);
    expect(parameterBuckets(routed).total).toBeGreaterThan(10 * parameterBuckets(small).total);
    expect(parameterBuckets(routed).active / parameterBuckets(small).active).toBeCloseTo(1, 2);
  });
});

describe("layoutProblems", () => {
  it.each([
    [{ data: 11 }, "tensor x pipeline x context x data is 176, expected the 192 GPUs. Change data to 12."],
    [{ globalBatchSize: 2160 * 2048 }, "That looks like tokens; divide by 2048."],
    [{ microBatchSize: 0 }, "microBatchSize: is 0, expected a whole number above 0."],
    [{ tensor: 3, data: 16 }, "tensor: is 3, expected a divisor of the 80 heads"],
    [{ globalBatchSize: 2161 }, "is not whole"],
    [{ precision: "fp8" as const }, "precision: is fp8, which A800-SXM-80GB does not have"],
    [{ pipeline: 48, data: 1, virtualStages: 2 }, "has 96 pieces, expected at most the 80 layers"],
  ])("says what is wrong with %o", (change, sentence) => {
    const l = { ...paper, ...change };
    expect(layoutProblems(flm, l, a800).join(" ")).toContain(sentence);
    expect(() => predictClusterStep(flm, l, a800)).toThrow(/layout: /);
  });
  it("has none for the paper's layout", () => expect(layoutProblems(flm, paper, a800)).toEqual([]));
});

describe("cluster", () => {
  it("names the nearest devices", () => {
    expect(() => cluster("A800", 8)).toThrow(/Nearest: A800-SXM-80GB/);
    expect(() => cluster("h10-SXM-80GB", 8)).toThrow(/Nearest: H100-SXM-80GB/);
    expect(() => cluster("A800-SXM-80GB", 1.5)).toThrow(/whole number/);
  });
});

describe("flopsPerToken", () => {
  it("agrees with the Megatron formula", () => {
    const shape = { numLayers: flm.numLayers, hiddenSize: flm.residualDim, seqLen: flm.seqLen, vocabSize: flm.vocabSize };
    expect(flopsPerToken(flm).megatron).toBeCloseTo(megatronFlops(shape, 1), -3);
    expect(flopsPerToken(flm).megatronRecompute / flopsPerToken(flm).megatron).toBeCloseTo(4 / 3, 12);
  });
  it("counts parameters like the layout table of the model", () => {
    expect(parameterBuckets(flm).total / 1e9).toBeCloseTo(101.7, 0);
  });
});
