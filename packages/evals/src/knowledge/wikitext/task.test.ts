import type { LanguageModel } from "@espalier/spec/languageModel";
import { describe, expect, it } from "vitest";
import { randomModel } from "../../models/mock.ts";
import { evaluateKnowledge } from "../evaluateKnowledge.ts";
import { detokenizePage, wikitext } from "./task.ts";

describe("wikitext", () => {
  it.each([
    [" = Robert Boulter = \n", " = Robert Boulter =\n"],
    [" = = Career = = \n = = = 2000 = = = ", " == Career ==\n=== 2000 === "],
    ["the actors ' guild , in 1 @,@ 000 @-@ odd ; it 's 2 @.@ 5 ° C : yes . No", "the actors'guild, in 1,000-odd; it's 2.5°C: yes. No"], // both apostrophes pass for quotes
    ['( born 1980 ) said " hello " and [ x ] { y }', '(born 1980) said "hello" and [x] {y}'],
    ["' single ' N times", "'single' 1 times"],
  ])("mends %j", (page, mended) => {
    expect(detokenizePage(page)).toBe(mended);
  });

  it("scores the mended text over the words and bytes of the page", async () => {
    const asked: string[] = [];
    const model: LanguageModel = { ...randomModel(1), rollingLoglikelihood: async (texts) => texts.map((text) => (asked.push(text), { logprob: -12, numTokens: 4, isGreedy: false })) };
    const { tasks: [result] } = await evaluateKnowledge(model, [{ task: wikitext, docs: [{ page: "a 's é ." }, { page: "b" }] }]);
    expect([...asked].sort()).toEqual(["a's é .", "b"]);
    expect(result!.scores.map(({ metric, value, standardError }) => [metric, value, standardError])).toEqual([
      ["word_perplexity", Math.exp(24 / 5), null],
      ["byte_perplexity", Math.exp(24 / 10), null],
      ["bits_per_byte", 24 / (10 * Math.LN2), null],
    ]);
  });
});
