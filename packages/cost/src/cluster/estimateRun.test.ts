import { preset } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { cluster } from "./device.ts";
import { estimateRun } from "./estimateRun.ts";
import { layout } from "./layout.ts";
import { clusterModel } from "./shape.ts";

const model = clusterModel(preset("flm-101b").config);
const a800 = cluster("A800-SXM-80GB", 192);
const request = { model, cluster: a800, tokens: 26.54e9, globalBatchSize: 2160 };

describe("estimateRun", () => {
  const paper = estimateRun({ ...request, layout: layout({ tensor: 4, pipeline: 4, data: 12, globalBatchSize: 2160 }) });

  it("puts the paper's last stage, 6.54 days, inside of its interval", () => {
    expect(paper.numSteps).toBe(Math.ceil(26.54e9 / (2160 * 2048)));
    expect(paper.cost.days.low).toBeLessThan(6.54);
    expect(paper.cost.days.high).toBeGreaterThan(6.54);
    expect(paper.cost.days.value).toBeCloseTo((paper.numSteps * paper.step.seconds) / paper.goodput.goodput / 86400, 9);
    expect(paper.memory.fits).toBe(true);
  });
  it("finds a layout that is at least as fast when none is given", () => {
    const found = estimateRun(request);
    expect(found.step.seconds).toBeLessThanOrEqual(paper.step.seconds);
    expect(found.memory.fits).toBe(true);
  });
  it("says what is missing", () => {
    expect(() => estimateRun({ ...request, cluster: cluster("A100-SXM-40GB", 8), globalBatchSize: 8 })).toThrow(/the smallest layout needs \d+ of 40 GiB. Take 64 GPUs, where it fits/);
    expect(() => estimateRun({ ...request, tokens: -1 })).toThrow(/tokens: is -1/);
    expect(() => estimateRun({ ...request, cluster: cluster("H100-96GB-HBM2e-500W", 192) })).toThrow(/prices: the catalogue has none/);
    expect(() => cluster("A800-SXM-80GB", 8, { interNodeGbitPerSecond: 2e11 })).toThrow(/Do not give bits/);
  });
});
