import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import type { Sample } from "../evaluate.ts";
import { evaluate } from "../evaluate.ts";
import type { KnowledgeSample } from "../knowledge/sample.ts";
import { randomModel } from "../models/mock.ts";
import { tasksNamed } from "../tasks/table.ts";
import { agreement } from "./agreement.ts";
import { compareSamples } from "./compareSamples.ts";

const sample = (i: number, right: boolean, changes: Partial<Sample> = {}): Sample => ({
  key: `t@1/${i}`,
  task: "t",
  prompt: `Item ${i}?`,
  target: "a",
  choices: ["a", "b"],
  generated: right ? "a" : "b",
  logprobs: [],
  correct: { "exact match": right, likelihood: false, "likelihood per character": false },
  ...changes,
});
const known = (i: number, acc: number, cluster: string): KnowledgeSample => ({
  key: `k@1/${i}`,
  task: "k",
  docId: i,
  doc: {},
  target: "x",
  requests: [
    [`Q${i}`, " x"],
    [`Q${i}`, " y"],
  ],
  loglikelihoods: [
    { logprob: acc ? -1 : -3, numTokens: 1, isGreedy: false },
    { logprob: -2, numTokens: 1, isGreedy: false },
  ],
  scores: { "acc,none": acc },
  boundaryError: false,
  numTruncated: 0,
  cluster,
  docHash: "",
  promptHash: "",
  targetHash: "",
});

describe("compareSamples", () => {
  it("pairs right and wrong answers and tests them exactly", () => {
    // a alone right 8 times, b alone once: McNemar 2 (C(9,0) + C(9,1)) / 2^9 = 20/512
    const a = Array.from({ length: 40 }, (_, i) => sample(i, i < 18));
    const b = Array.from({ length: 40 }, (_, i) => sample(i, (i >= 8 && i < 18) || i === 30));
    const { rows, firstDifferentPrompt } = compareSamples(a, b);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      task: "t",
      metric: "exact match",
      items: 40,
      a: 18 / 40,
      b: 11 / 40,
      onlyA: 8,
      onlyB: 1,
      test: "McNemar",
      real: true,
    });
    expect(rows[0].pValue).toBeCloseTo(20 / 512, 12);
    expect(rows[0].interval[0]).toBeLessThan(7 / 40);
    expect(firstDifferentPrompt).toBeNull();
  });

  it("leaves out scores that are no finite number", () => {
    const unlikely = { ...known(0, 1, "x"), scores: { "acc,none": 1, "perplexity,none": -Infinity, "mc2,none": Number.NaN } };
    expect(compareSamples([unlikely], [unlikely]).rows.map(({ metric }) => metric)).toEqual(["acc"]);
  });

  it("finds nothing real between a model and itself, and gives no p below 1", async () => {
    const { tasks } = await evaluate(randomModel(3), { tasks: tasksNamed(["counting", "headTail"]), items: 30 });
    const samples = tasks.flatMap((task) => task.samples);
    const { rows, onlyInA, onlyInB, differentPrompts } = compareSamples(samples, samples);
    expect(rows).toHaveLength(4);
    for (const row of rows) expect(row).toMatchObject({ difference: 0, pValue: 1, holm: 1, real: false });
    expect([onlyInA, onlyInB, differentPrompts]).toEqual([0, 0, 0]);
    expect(agreement(samples, samples)).toMatchObject({
      items: 60,
      same: 60,
      share: 1,
      meanLogprobChange: 0,
      largestLogprobChange: 0,
    });
  });

  it("names the first prompt that differs and leaves such items out", () => {
    const a = [0, 1, 2].map((i) => sample(i, true));
    const b = [
      sample(0, true),
      sample(1, true, { prompt: "Item 1!" }),
      sample(2, false, { prompt: "Thing 2?" }),
      sample(9, true),
    ];
    const result = compareSamples(a, b);
    expect(result).toMatchObject({
      differentPrompts: 2,
      onlyInA: 0,
      onlyInB: 1,
      firstDifferentPrompt: { key: "t@1/1", at: 6, a: "Item 1?\na\nb", b: "Item 1!\na\nb" },
    });
    expect(result.rows[0].items).toBe(1);
    expect(() => compareSamples(a, [sample(9, true)])).toThrow(/3 and 1 items, none of them in both/);
  });

  it("takes a shared passage as one unit: a difference of two passages is not real however many questions they have", () => {
    const a = Array.from({ length: 200 }, (_, i) => known(i, 1, `p${i % 2}`));
    const b = Array.from({ length: 200 }, (_, i) => known(i, 0, `p${i % 2}`));
    const { rows } = compareSamples(a, b);
    expect(rows[0]).toMatchObject({
      metric: "acc",
      clusters: 2,
      test: "permutation",
      difference: 1,
      pValue: 0.5,
      real: false,
    });
    const alone = compareSamples(
      a.map((s, i) => ({ ...s, cluster: `${i}` })),
      b.map((s, i) => ({ ...s, cluster: `${i}` })),
    );
    expect(alone.rows[0]).toMatchObject({ clusters: null, test: "McNemar", real: true });
  });

  it("keeps its level: among equal models Holm calls a difference real in at most about 5 of 100 comparisons", () => {
    let found = 0;
    for (let run = 0; run < 200; run++) {
      const draws = random(run, "compareSamples.test").sequence();
      const [a, b] = [0, 1].map(() =>
        Array.from({ length: 60 }, (_, i) => sample(i, draws.uniform() < 0.6, { task: `t${i % 3}` })),
      );
      if (compareSamples(a!, b!).rows.some(({ real }) => real)) found++;
    }
    expect(found).toBeLessThanOrEqual(18); // 200 * 0.05 + 2.6 standard deviations; exact tests are below their level
  });
});

describe("agreement", () => {
  it("counts equal answers and the change of log-likelihoods", () => {
    const before = [known(0, 1, "p"), known(1, 0, "q")];
    const after = [known(0, 0, "p"), known(1, 0, "q")];
    expect(agreement(before, after)).toMatchObject({
      items: 2,
      same: 1,
      share: 0.5,
      meanLogprobChange: 0.5,
      largestLogprobChange: 2,
    });
    expect(() => agreement(before, [])).toThrow(/no item in both logs/);
  });

  it("pairs log-likelihoods by choice, whatever was lost before, and counts infinite changes apart", () => {
    const choices = ["a", "b", "c"];
    const before = [sample(0, true, { choices, logprobs: [null, -2, -3] }), sample(1, true, { choices, logprobs: [-Infinity, -1, -Infinity] })];
    const after = [sample(0, true, { choices, logprobs: [-9, -2.5, null] }), sample(1, true, { choices, logprobs: [-Infinity, -1.5, -4] })];
    expect(agreement(before, after)).toMatchObject({ items: 2, meanLogprobChange: 1 / 3, largestLogprobChange: 0.5, impossibleToOne: 1 });
    const silent = [sample(0, true, { choices }), sample(1, true, { choices })];
    expect(agreement(before, silent)).toMatchObject({ items: 2, meanLogprobChange: null, largestLogprobChange: null, impossibleToOne: 0 });
  });
});
