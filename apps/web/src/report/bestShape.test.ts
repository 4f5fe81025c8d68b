import type { ReportArm } from "@espalier/spec/run";
import { describe, expect, it } from "vitest";
import { isBestShape } from "./bestShape.ts";

const arm = (id: string, finalLoss: number, numLayers: number): ReportArm =>
  ({ id, finalLoss, role: id.startsWith("fixed/") ? "best fixed shape" : "growth one hop", stages: [{ model: { numLayers, residualDim: 32 } }] }) as unknown as ReportArm;

describe("isBestShape", () => {
  it("is the shape with further seeds where there is one, whatever another seed says", () => {
    const arms = [arm("fixed/L1-C32/seed-0", 3.8, 1), arm("fixed/L2-C32/seed-0", 3.7, 2), arm("fixed/best/seed-1", 3.9, 1)];
    expect(arms.map((one) => isBestShape(one, arms))).toEqual([true, false, true]);
  });

  it("is the shape that ends lowest where each was trained once, so that its name at the end of the line is its own loss", () => {
    const arms = [arm("grown/seed-0", 3, 4), arm("fixed/L1-C64/seed-0", 4.45, 3), arm("fixed/L1-C32/seed-0", 3.8, 1), arm("fixed/L2-C32/seed-0", 4.08, 2)];
    expect(arms.slice(1).map((one) => isBestShape(one, arms))).toEqual([false, true, false]);
  });
});
