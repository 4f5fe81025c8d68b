import { describe, expect, it } from "vitest";
import { randomModel } from "../../models/mock.ts";
import { evaluateKnowledge } from "../evaluateKnowledge.ts";
import { multirc } from "./multirc.ts";

const row = (paragraph: string, question: string, answer: string, label: number) => ({ paragraph, question, answer, label });
const docs = [
  row("Ann has a red boat.", "What does she have?", "A boat", 1),
  row("Ann has a red boat.", "What does she have?", "A car", 0),
  row("Ann has a red boat.", "Which colour?", "Red", 1),
  row("Ann has a red boat.", "Which colour?", "Blue", 0),
  row("Bo sleeps.", "What does she have?", "Nothing", 0),
];

/** Says yes to the answers named; gives no token of the one that is lost. */
function judge(yes: readonly string[], lost?: string) {
  const loglikelihood = (requests: readonly { continuation: string }[]) =>
    Promise.resolve(requests.map(({ continuation }) => {
      const [answer, word] = continuation.trim().split("\nIs the answer correct? ") as [string, string];
      return answer === lost ? { logprob: Number.NaN, numTokens: 0, isGreedy: false } : { logprob: (word === "yes") === yes.includes(answer) ? -1 : -2, numTokens: 1, isGreedy: false };
    }));
  return { ...randomModel(1), loglikelihood };
}

const scoresOf = async (...judged: Parameters<typeof judge>) => {
  const { tasks: [result] } = await evaluateKnowledge(judge(...judged), [{ task: multirc, docs }], { bootstrapIterations: 100 });
  return Object.fromEntries(result!.scores.map((score) => [score.metric, score]));
};

describe("MultiRC", () => {
  it("has F1 over answers and exact match over questions, by meaning; the harness's accuracy is inverted", async () => {
    const right = await scoresOf(["A boat", "Red"]);
    expect(Object.entries(right).map(([metric, { value }]) => [metric, value])).toEqual([["acc", 0], ["f1a", 1], ["em", 1]]);
    // One false yes: 2 right of 3 said and 2 true; one question of three is spoilt.
    const { f1a, em, acc } = await scoresOf(["A boat", "A car", "Red"]);
    expect([f1a!.value, em!.value, acc!.value]).toEqual([4 / 5, 2 / 3, 1 / 5]);
    expect(em!.standardError).toBeCloseTo(Math.sqrt(1 / 3) / Math.sqrt(3), 12);
    expect(em!.clusteredStandardError).not.toBeNull();
    expect(em!.interval![0]).toBeGreaterThanOrEqual(0);
  });

  it("keeps equal questions on two paragraphs apart", async () => {
    expect((await scoresOf(["A boat", "Red", "Nothing"])).em!.value).toBe(2 / 3);
  });

  it("counts a lost answer as judged wrongly", async () => {
    const { f1a, em } = await scoresOf(["A boat", "Red"], "Red");
    expect([f1a!.value, em!.value]).toEqual([2 / 3, 2 / 3]);
  });
});
