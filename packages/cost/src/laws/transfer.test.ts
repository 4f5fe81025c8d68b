import { describe, expect, it } from "vitest";
import { fitLimitedTransfer, fitTransfer, predictedSpeedup, stackSpeedups } from "./transfer.ts";

/** Without 410M on 700B tokens, 1,700 a parameter: the gain decays there, and one constant cannot follow. */
const wellWithin = stackSpeedups.filter((row) => row.targetTokens / row.targetParameters < 1000);

describe("predictedSpeedup", () => {
  it("is about 1 % for depth stacking without transfer, where about 50 % was measured", () => {
    for (const row of stackSpeedups) expect(predictedSpeedup(row)).toBeLessThan(2);
  });
});

describe("fitTransfer", () => {
  it("brings every speed-up of depth stacking within ten points, but the over-trained one", () => {
    const transfer = fitTransfer(stackSpeedups);
    expect(transfer).toBeGreaterThan(0.4);
    expect(transfer).toBeLessThan(0.6);
    for (const row of wellWithin) expect(Math.abs(predictedSpeedup(row, { transfer }) - row.speedupPercent)).toBeLessThan(10);
    const overTrained = stackSpeedups.find((row) => !wellWithin.includes(row))!;
    expect(predictedSpeedup(overTrained, { transfer }) - overTrained.speedupPercent).toBeGreaterThan(10);
  });
  it("finds the transfer that made the measurements", () => {
    const made = stackSpeedups.map((row) => ({ ...row, speedupPercent: predictedSpeedup(row, { transfer: -0.2 }) }));
    expect(fitTransfer(made)).toBeCloseTo(-0.2, 6);
  });
});

describe("fitLimitedTransfer", () => {
  const fitted = fitLimitedTransfer(stackSpeedups);
  it("brings every speed-up of depth stacking within ten points, the over-trained one too", () => {
    for (const row of stackSpeedups) expect(Math.abs(predictedSpeedup(row, fitted) - row.speedupPercent)).toBeLessThan(10);
    expect(fitted.transfer).toBeGreaterThan(0.4);
    expect(fitted.transfer).toBeLessThan(0.65);
    expect(fitted.transferLimit).toBeGreaterThan(300);
    expect(fitted.transferLimit).toBeLessThan(900);
  });
  it("finds the transfer and the limit that made the measurements", () => {
    const made = stackSpeedups.map((row) => ({ ...row, speedupPercent: predictedSpeedup(row, { transfer: 0.4, transferLimit: 400 }) }));
    const found = fitLimitedTransfer(made);
    expect(found.transfer).toBeCloseTo(0.4, 2);
    expect(found.transferLimit / 400).toBeCloseTo(1, 1);
  });
  it("changes little for runs that are not over-trained", () => {
    for (const row of wellWithin) expect(Math.abs(predictedSpeedup(row, fitted) - predictedSpeedup(row, { transfer: fitted.transfer }))).toBeLessThan(row.targetTokens / row.targetParameters < 200 ? 0.5 : 15);
  });
});
