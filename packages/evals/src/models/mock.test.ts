import { describe, expect, it } from "vitest";
import { oracleModel, randomModel, unigramModel } from "./mock.ts";

const request = { prompt: "Count from 1 to 3:", until: ["\n"], maxTokens: 20 };

describe("randomModel", () => {
  it("answers the same request alike, alone or among others", async () => {
    const model = randomModel(1);
    const [alone] = await model.generate([request]);
    expect((await model.generate([{ ...request, prompt: "x" }, request]))[1]).toEqual(alone);
    const [a, b] = await model.loglikelihood([{ context: "a", continuation: " b" }, { context: "a", continuation: " c" }]);
    expect(a.logprob).toBeLessThan(0);
    expect(a.logprob).not.toBe(b.logprob);
    expect((await randomModel(2).generate([request]))[0]).not.toEqual(alone);
  });

  it("keeps to maxTokens and stops before the stop string", async () => {
    const generations = await randomModel(1).generate(Array.from({ length: 50 }, (_, k) => ({ ...request, prompt: String(k), maxTokens: 5 })));
    for (const { text, numTokens } of generations) {
      expect(text).not.toContain("\n");
      expect([...text].length).toBe(numTokens);
      expect(numTokens).toBeLessThanOrEqual(5);
    }
    expect(new Set(generations.map(({ finish }) => finish))).toEqual(new Set(["stop", "length"]));
  });
});

describe("oracleModel", () => {
  it("knows what it was told and nothing else", async () => {
    const model = oracleModel([{ prompt: request.prompt, target: "1, 2, 3" }]);
    expect((await model.generate([request, { ...request, prompt: "?" }])).map(({ text }) => text)).toEqual([" 1, 2, 3", " ?"]);
    const [right, wrong] = await model.loglikelihood([" 1, 2, 3", " 1, 2, 4"].map((continuation) => ({ context: request.prompt, continuation })));
    expect(right.logprob).toBeGreaterThan(wrong.logprob);
    expect([right.isGreedy, wrong.isGreedy]).toEqual([true, false]);
  });
});

describe("unigramModel", () => {
  it("adds up smoothed frequencies", async () => {
    const model = unigramModel("aab");
    const [ab, z] = await model.loglikelihood([{ context: "", continuation: "ab" }, { context: "", continuation: "z" }]);
    expect(ab.logprob).toBeCloseTo(Math.log(3 / 6) + Math.log(2 / 6), 12); // counts 2 and 1, plus one each, of 3 + 2 + 1
    expect(z.logprob).toBeCloseTo(Math.log(1 / 6), 12);
    expect((await model.rollingLoglikelihood(["ab"]))[0].logprob).toBeCloseTo(ab.logprob, 12);
  });
});
