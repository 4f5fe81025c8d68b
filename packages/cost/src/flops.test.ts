import { modelConfig, trainingFlopsPerToken } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { megatronFlops, megatronFlopsRange, stagesFlops, ZETTA } from "./flops.ts";

const gpt3 = { numLayers: 96, hiddenSize: 12288, seqLen: 2048, vocabSize: 50257 };

describe("megatronFlops", () => {
  it("equals a case worked out by hand", () => {
    // L = 1, h = 6, s = 36, V = 96: 72 * 1 * 36 * (1 + 36/36 + 96/96) = 7776
    expect(megatronFlops({ numLayers: 1, hiddenSize: 6, seqLen: 36, vocabSize: 96 }, 1)).toBe(7776);
  });
  it("counts a third more with full recomputation", () => {
    expect(megatronFlops(gpt3, 1, "full") / megatronFlops(gpt3, 1)).toBeCloseTo(4 / 3, 12);
  });
  it("agrees with the exact per-token count of the layout table to the size of biases", () => {
    const model = modelConfig({ family: "flm", vocabSize: 50257, seqLen: 2048, numLayers: 96, residualDim: 12288, numKvHeads: 96 });
    // The 72-form counts the head once more than a tied head costs: V/16Lh of it, 0.3 % here.
    expect(megatronFlops(gpt3, 1) / trainingFlopsPerToken(model)).toBeCloseTo(1, 2);
  });
});

describe("megatronFlopsRange", () => {
  it("has its ends at mid - half and mid + half", () => {
    const range = megatronFlopsRange(gpt3, 300e9);
    expect(range.mid - range.half).toBeCloseTo(range.low, -12);
    expect(range.mid + range.half).toBeCloseTo(range.high, -12);
    expect(range.mid / ZETTA).toBeCloseTo(376.41, 2);
  });
});

describe("stagesFlops", () => {
  it("sums tokens times FLOPs per token over stages", () => {
    const small = modelConfig({ family: "flm", vocabSize: 64, seqLen: 16, numLayers: 1, residualDim: 8, numKvHeads: 2 });
    // Matrix parameters 12 * 64 + 64 * 8 = 1280; attention 4 * 1 * 8 * 16 = 512; 3 * (2 * 1280 + 512) = 9216.
    expect(stagesFlops([{ model: small, tokens: 10 }, { model: small, tokens: 5 }])).toBe(15 * 9216);
  });
});
