import { preset } from "@espalier/spec/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cluster } from "../cluster/device.ts";
import { layout, type Layout } from "../cluster/layout.ts";
import { microBatchesInFlight } from "../cluster/memory.ts";
import { clusterModel } from "../cluster/shape.ts";
import { predictClusterStep } from "../cluster/step.ts";
import { rankSeconds, simulateStep } from "./rankSeconds.ts";
import { pipelineOrder } from "./pipelineOrder.ts";
import { simulatePipeline } from "./simulatePipeline.ts";

const equal = (p: number, forward: number, inputGradient: number, weightGradient: number) => Array.from({ length: p }, () => ({ forward, inputGradient, weightGradient }));
const SCHEDULES = [["1f1b", 1], ["interleaved", 2], ["interleaved", 4], ["zeroBubble", 1]] as const;

describe("pipelineOrder", () => {
  it.each(SCHEDULES)("has every operation of every micro-batch once: %s, %i pieces", (schedule, virtualStages) => {
    const shape = { pipeline: 4, microBatches: 12, schedule, virtualStages };
    for (let rank = 0; rank < 4; rank++) {
      const names = pipelineOrder(shape, rank).map(({ kind, microBatch, piece }) => `${kind}${microBatch}.${piece}`);
      expect(new Set(names).size).toBe(names.length);
      expect(names).toHaveLength(12 * virtualStages * (schedule === "zeroBubble" ? 3 : 2));
    }
  });
});

describe("simulatePipeline", () => {
  it.each([[2, 4], [4, 8], [4, 64], [8, 8], [8, 16], [12, 36]])("has the bubble of the closed form, exactly: %i ranks, %i micro-batches", (p, m) => {
    const [F, B, W] = [1, 1.3, 0.9];
    const of = (schedule: Layout["schedule"], virtualStages = 1) => simulatePipeline({ ranks: equal(p, F, B, W), microBatches: m, schedule, virtualStages });
    const work = m * (F + B + W);
    expect(of("1f1b").seconds).toBeCloseTo(work + (p - 1) * (F + B + W), 9);
    for (const v of [2, 3, 4]) expect(of("interleaved", v).seconds).toBeCloseTo(work + ((p - 1) / v) * (F + B + W), 9);
    expect(of("zeroBubble").seconds).toBeCloseTo(work + (p - 1) * (F + B - W), 9);
  });
  it("cannot hide more than the first forward passes when weight gradients take longer than those of the input", () => {
    expect(simulatePipeline({ ranks: equal(8, 1, 0.9, 1.1), microBatches: 24, schedule: "zeroBubble", virtualStages: 1 }).seconds).toBeCloseTo(24 * 3 + 7 * 1, 9);
  });
  it.each(SCHEDULES)("holds the activations that the memory model counts: %s, %i pieces", (schedule, virtualStages) => {
    const l = layout({ pipeline: 4, data: 1, globalBatchSize: 16, schedule, virtualStages });
    const { inFlight } = simulatePipeline({ ranks: equal(4, 1, 1, 1), microBatches: 16, schedule, virtualStages });
    if (schedule === "zeroBubble") expect(Math.max(...inFlight)).toBe(microBatchesInFlight(l, 0));
    else expect(inFlight).toEqual([0, 1, 2, 3].map((stage) => microBatchesInFlight(l, stage)));
  });
  it("never starts before an input is there, never overlaps a rank's work, and never beats the slowest rank", () => {
    const time = fc.double({ min: 0.01, max: 3, noNaN: true });
    const rank = fc.record({ forward: time, inputGradient: time, weightGradient: time });
    fc.assert(
      fc.property(fc.array(rank, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 5 }), fc.constantFrom(...SCHEDULES), fc.double({ min: 0, max: 1, noNaN: true }), (ranks, rounds, [schedule, virtualStages], transferSeconds) => {
        const p = ranks.length;
        const m = rounds * p;
        const { operations, seconds } = simulatePipeline({ ranks, microBatches: m, schedule, virtualStages, transferSeconds });
        const end = new Map(operations.map((o) => [`${o.kind} ${o.piece * p + o.rank} ${o.microBatch}`, o.end]));
        for (const o of operations) {
          const place = o.piece * p + o.rank;
          const before = o.kind === "F" ? end.get(`F ${place - 1} ${o.microBatch}`) : o.kind === "W" ? end.get(`B ${place} ${o.microBatch}`) : (end.get(`B ${place + 1} ${o.microBatch}`) ?? end.get(`F ${place} ${o.microBatch}`));
          expect(o.start + 1e-9).toBeGreaterThanOrEqual(before ?? 0);
        }
        for (let i = 1; i < operations.length; i++) if (operations[i]!.rank === operations[i - 1]!.rank) expect(operations[i]!.start).toBeGreaterThanOrEqual(operations[i - 1]!.end);
        expect(operations).toHaveLength(m * p * virtualStages * (schedule === "zeroBubble" ? 3 : 2));
        expect(seconds + 1e-9).toBeGreaterThanOrEqual(m * Math.max(...ranks.map((r) => r.forward + r.inputGradient + r.weightGradient)));
      }),
      { numRuns: 60 },
    );
  });
  it("runs at the pace of one slow rank", () => {
    const ranks = equal(4, 1, 1, 1).map((rank, i) => (i === 2 ? { forward: 1.5, inputGradient: 1.5, weightGradient: 1.5 } : rank));
    const { seconds } = simulatePipeline({ ranks, microBatches: 32, schedule: "1f1b", virtualStages: 1 });
    // The slow rank works all the time but while two forward passes lead to it, while the last rank returns the first
    // gradient (its second forward pass ends 1.5 s before), and while two backward passes follow.
    expect(seconds).toBeCloseTo(32 * 4.5 + 2 * 1 + 1.5 + 2 * 2, 9);
  });
  it.each([
    [{ microBatches: 6, schedule: "interleaved", virtualStages: 2 }, /6 micro-batches, expected a multiple of the 4 ranks/],
    [{ microBatches: 0, schedule: "1f1b", virtualStages: 1 }, /microBatches: is 0/],
    [{ microBatches: 4, schedule: "1f1b", virtualStages: 2 }, /Choose the interleaved schedule/],
    [{ microBatches: 4, schedule: "1f1b", virtualStages: 1, transferSeconds: -1 }, /a time is -1/],
  ] as const)("refuses %o", (bad, sentence) => {
    expect(() => simulatePipeline({ ranks: equal(4, 1, 1, 1), ...bad })).toThrow(sentence);
  });
});

describe("simulateStep", () => {
  const model = clusterModel(preset("flm-101b").config);
  const machine = cluster("A800-SXM-80GB", 192);
  it.each([
    { schedule: "1f1b" }, { schedule: "interleaved", virtualStages: 5 }, { schedule: "zeroBubble" }, { pipeline: 8, data: 6 }, { pipeline: 8, data: 6, schedule: "zeroBubble" }, { recompute: "full" },
  ] as const)("agrees with the closed form of the step model within 0.5 %: %o", (change) => {
    const l = layout({ tensor: 4, pipeline: 4, data: 12, globalBatchSize: 2304, ...change });
    const { parts } = predictClusterStep(model, l, machine);
    const closed = parts.filter(({ name }) => !["data parallel collectives", "optimiser", "step overhead"].includes(name)).reduce((sum, part) => sum + part.seconds, 0);
    expect(Math.abs(simulateStep(model, l, machine).seconds / closed - 1)).toBeLessThan(0.005);
  });
  it("gives the last rank the logits", () => {
    const ranks = rankSeconds(model, layout({ tensor: 4, pipeline: 4, data: 12, globalBatchSize: 2304 }), machine);
    expect(ranks[3]!.forward).toBeGreaterThan(ranks[2]!.forward);
    expect(ranks[0]).toEqual(ranks[2]);
  });
});
