import { preset } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { calibrateCluster, estimateClusterStep, stepSpread, uncalibrated } from "./calibrate.ts";
import { cluster } from "./device.ts";
import { fittedConstants } from "./fitted.ts";
import { layout } from "./layout.ts";
import { clusterModel } from "./shape.ts";
import { predictClusterStep } from "./step.ts";

const [small, large] = ["flm-16b", "flm-101b"].map((name) => clusterModel(preset(name).config));
const c = cluster("A800-SXM-80GB", 192);
const first = layout({ tensor: 2, data: 96, globalBatchSize: 2304 });
const later = layout({ tensor: 4, pipeline: 4, data: 12, globalBatchSize: 2160 });
const slow = { ...fittedConstants, matmulShare: 0.72, interShare: 0.6 };

describe("calibrateCluster", () => {
  const measured = { model: small!, layout: first, cluster: c, seconds: predictClusterStep(small!, first, c, slow).seconds };
  const calibration = calibrateCluster([measured]);

  it("explains the measured step", () => {
    expect(predictClusterStep(small!, first, c, calibration.constants).seconds / measured.seconds).toBeCloseTo(1, 1);
  });
  it("carries over to another model and layout of the same cluster", () => {
    const truth = predictClusterStep(large!, later, c, slow).seconds;
    const before = Math.abs(predictClusterStep(large!, later, c).seconds / truth - 1);
    const after = Math.abs(predictClusterStep(large!, later, c, calibration.constants).seconds / truth - 1);
    expect(before).toBeGreaterThan(0.08);
    expect(after).toBeLessThan(0.03);
  });
  it("moves what the step depends on and leaves the rest", () => {
    const { constants } = calibration;
    expect(constants.matmulShare).toBeLessThan(fittedConstants.matmulShare);
    expect(constants.eagerBytes).toBeCloseTo(fittedConstants.eagerBytes, 6);
  });
  it("narrows the interval, which holds the truth", () => {
    expect(stepSpread(large!, later, c, calibration)).toBeLessThan(0.8 * stepSpread(large!, later, c, uncalibrated));
    const { interval, seconds } = estimateClusterStep(large!, later, c, calibration);
    expect(interval[0]).toBeLessThan(seconds);
    const truth = predictClusterStep(large!, later, c, slow).seconds;
    expect(truth).toBeGreaterThan(interval[0]);
    expect(truth).toBeLessThan(interval[1]);
  });
  it("refuses a step without time", () => {
    expect(() => calibrateCluster([{ ...measured, seconds: 0 }])).toThrow(/seconds: is 0/);
  });
});
