import { modelConfig } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { roughProfile } from "../machine/profile.ts";
import { predictStepSeconds } from "../machine/stepTime.ts";
import { VALIDATION, validationSeconds } from "./validation.ts";

const machine = roughProfile({ name: "two cores", cores: 2, gflopsPerThread: 100 });
const model = modelConfig({ family: "flm", vocabSize: 1024, seqLen: 128, numLayers: 4, residualDim: 48, numKvHeads: 4 });
const stage = { name: "only", model, tokens: 102_400, learningRate: "inherit" as const };
const job = { arm: "scratch bar" as const, learningRate: { bestOf: "target" as const }, stages: [stage], tokens: stage.tokens };
const seconds = (changed: object) => validationSeconds({ ...job, ...changed }, VALIDATION, 8, machine);
const forward = () => {
  const { seconds: step, parts } = predictStepSeconds(model, { microBatchSize: 8 }, machine);
  return (step - parts.find(({ name }) => name === "optimiser")!.seconds) / 3;
};

describe("validationSeconds", () => {
  it("counts the points of the curve, the end of the stage and the final figure", () => {
    expect(seconds({})).toBeCloseTo((((24 + 1) * 96 + 768) / 8) * forward(), 10);
  });

  it("does not fall with the length of a run", () => {
    expect(seconds({ stages: [{ ...stage, tokens: 1024 }], tokens: 1024 })).toBeCloseTo(seconds({}), 10);
  });

  it("gives short pilots few points, and a reused run only its final figure", () => {
    expect(seconds({ arm: "pilot", learningRate: { fixed: 0.01 } })).toBeCloseTo((((4 + 1) * 96 + 768) / 8) * forward(), 10);
    expect(seconds({ arm: "pilot" })).toBeCloseTo(seconds({}), 10);
    expect(seconds({ reuses: ["pilot/target/full-1x"] })).toBeCloseTo((768 / 8) * forward(), 10);
  });

  it("divides the curve among stages by their tokens, with one more look after a growth", () => {
    const growth = { operators: { depth: "stack" }, rampSteps: 0, rewarmSteps: 0, seed: 1 };
    const two = seconds({ stages: [{ ...stage, tokens: 25_600 }, { ...stage, tokens: 76_800, growth }] });
    expect(two).toBeCloseTo((((24 + 3) * 96 + 2 * 768) / 8) * forward(), 10);
  });
});
