import { CancelledError, ConfigError, type ProgressEvent } from "@espalier/core";
import type { LanguageModel } from "@espalier/spec/languageModel";
import { describe, expect, it } from "vitest";
import { evaluate, type Sample, score, type TaskResult } from "./evaluate.ts";
import { oracleModel, randomModel, unigramModel } from "./models/mock.ts";
import { itemSet } from "./tasks/itemSet.ts";
import { coreTasks, tasks, tasksNamed } from "./tasks/table.ts";
import { defineTask } from "./tasks/task.ts";

const few = tasksNamed(["counting", "multipleKeyRetrieval", "headTail"]);
const scoresOf = ({ scores }: TaskResult) => Object.fromEntries(scores.map((row) => [row.scoring, row]));

describe("evaluate", () => {
  it("gives an oracle every point under every scoring, far from the floor", async () => {
    const oracle = oracleModel(tasks.flatMap((task) => itemSet(task, { difficulty: "tiny", seed: 1, items: 30 })));
    const { tasks: results } = await evaluate(oracle, { items: 30, tasks });
    expect(results.map(({ task }) => task)).toEqual(tasks.map(({ id }) => id));
    for (const { scores, task } of results) {
      for (const { accuracy, atFloor, scoring, interval } of scores) {
        expect([accuracy, atFloor], `${task}, ${scoring}`).toEqual([1, false]);
        expect(interval[0]).toBeLessThan(1);
      }
    }
  });

  it("finds a random model at the floor of nearly every task and at chance over all of them", async () => {
    const { tasks: results } = await evaluate(randomModel(3), { items: 150 });
    const likelihood = results.map((result) => scoresOf(result).likelihood);
    expect(likelihood.filter(({ atFloor }) => atFloor).length).toBeGreaterThanOrEqual(coreTasks.length - 2);
    expect(results.map(({ task }) => task)).toEqual(coreTasks.map(({ id }) => id));
    const right = likelihood.reduce((sum, { correct }) => sum + correct, 0);
    const expected = likelihood.reduce((sum, { chance, items }) => sum + chance * items, 0);
    const variance = likelihood.reduce((sum, { chance, items }) => sum + chance * (1 - chance) * items, 0);
    expect(Math.abs(right - expected)).toBeLessThan(4 * Math.sqrt(variance));
  });

  it("earns nothing from letter frequencies where distractors only rearrange the answer", async () => {
    const { tasks: results } = await evaluate(unigramModel("the quick brown fox jumps over the lazy dog"), { tasks: tasksNamed(["copying"]), items: 200, difficulty: "small" });
    expect(scoresOf(results[0]).likelihood.accuracy).toBeLessThan(0.6);
    expect(scoresOf(results[0])["exact match"].correct).toBe(0);
    expect(scoresOf(results[0])["exact match"].atFloor).toBe(true);
  });

  it("does not depend on the batch and repeats exactly", async () => {
    const model = randomModel(1);
    const whole = await evaluate(model, { tasks: few, items: 20 });
    expect(await evaluate(model, { tasks: few, items: 20, batchItems: 7 })).toEqual(whole);
    expect(await evaluate(model, { tasks: few, items: 20, seed: 2 })).not.toEqual(whole);
  });

  it("resumes from logged samples: nothing is asked twice and the log is the same", async () => {
    const options = { tasks: few, items: 20, batchItems: 8 };
    const log: Sample[] = [];
    const whole = await evaluate(randomModel(1), { ...options, onSample: (sample) => void log.push(sample) });
    for (const kept of [0, 1, 13, 30, 60]) {
      const resumed = log.slice(0, kept);
      let asked = 0;
      const model = randomModel(1);
      const counting: LanguageModel = { ...model, generate: (requests) => ((asked += requests.length), model.generate(requests)) };
      const done = new Map(resumed.map((sample) => [sample.key, sample]));
      const again = await evaluate(counting, { ...options, done, onSample: async (sample) => void resumed.push(sample) });
      expect(again).toEqual(whole);
      expect(resumed).toEqual(log);
      expect(asked).toBe(60 - kept);
    }
  });

  it("asks again for likelihoods that the logged run did without, or for items that have become others", async () => {
    const options = { tasks: few, items: 6 };
    const doneOf = ({ tasks }: Awaited<ReturnType<typeof evaluate>>) => new Map(tasks.flatMap(({ samples }) => samples.map((sample) => [sample.key, sample] as const)));
    const generated = await evaluate(randomModel(1), { ...options, likelihood: false });
    const whole = await evaluate(randomModel(1), options);
    expect(await evaluate(randomModel(1), { ...options, done: doneOf(generated) })).toEqual(whole);
    const silent: LanguageModel = { ...randomModel(1), generate: () => Promise.reject(new Error("asked")) };
    expect((await evaluate(silent, { ...options, likelihood: false, done: doneOf(whole) })).tasks.map(({ scores }) => scores)).toEqual(generated.tasks.map(({ scores }) => scores));
    const others = new Map([...doneOf(whole)].map(([key, sample]) => [key, { ...sample, prompt: `${sample.prompt} ` }]));
    expect(await evaluate(randomModel(1), { ...options, done: others })).toEqual(whole);
  });

  it("stops when told, keeping what was handed out", async () => {
    const controller = new AbortController();
    const log: Sample[] = [];
    const run = evaluate(randomModel(1), {
      tasks: few,
      items: 20,
      batchItems: 10,
      signal: controller.signal,
      onSample: (sample) => void log.push(sample),
      progress: ({ done }) => done === 30 && controller.abort(),
    });
    await expect(run).rejects.toThrow(CancelledError);
    expect(log).toHaveLength(30);
  });

  it("reports progress up to the total", async () => {
    const events: ProgressEvent[] = [];
    await evaluate(randomModel(1), { tasks: few, items: 10, progress: (event) => events.push(event) });
    expect(events.map(({ done, total }) => [done, total])).toEqual([[10, 30], [20, 30], [30, 30]]);
  });

  it("counts a choice without tokens as unscored and wrong, and trims generated text", async () => {
    const items = itemSet(few[0], { difficulty: "tiny", seed: 1, items: 12 });
    const oracle = oracleModel(items);
    const lossy: LanguageModel = {
      ...oracle,
      generate: async (requests) => (await oracle.generate(requests)).map((generation) => ({ ...generation, text: `  ${generation.text} \t` })),
      loglikelihood: async (requests) => (await oracle.loglikelihood(requests)).map((result, k) => (k < 4 ? { logprob: 0, numTokens: 0, isGreedy: true } : result)),
    };
    const result = (await evaluate(lossy, { tasks: [few[0]], items: 12 })).tasks[0];
    expect(result.unscored).toBe(1);
    expect(scoresOf(result).likelihood.correct).toBe(11);
    expect(scoresOf(result)["exact match"].correct).toBe(12);
    expect(result.samples[0].logprobs).toEqual([null, null, null, null]);
  });

  it("divides by code points under likelihood per character", async () => {
    const longer = defineTask({
      id: "longer", version: 1, title: "Longer", group: "in-context recall", paperItems: 1,
      levels: { tiny: {}, small: {}, paper: {}, large: {} },
      chance: () => ({ exactMatch: 0, likelihood: 1 / 2 }),
      build: () => ({ prompt: "x", target: "abc", distractors: ["𝒳𝒳"], identity: "x" }),
    });
    const nats: Record<string, number> = { " abc": -4, " 𝒳𝒳": -3 }; // per code point -1.33 and -1.5; per UTF-16 unit -0.75
    const model: LanguageModel = {
      ...randomModel(1),
      loglikelihood: async (requests) => requests.map(({ continuation }) => ({ logprob: nats[continuation], numTokens: 1, isGreedy: false })),
    };
    const scores = scoresOf((await evaluate(model, { tasks: [longer], items: 1 })).tasks[0]);
    expect([scores.likelihood.correct, scores["likelihood per character"].correct]).toEqual([0, 1]);
  });

  it("reports what naming the last mentioned choice would earn", async () => {
    const [result] = (await evaluate(randomModel(1), { tasks: tasksNamed(["singleSupportingFact"]), items: 200, difficulty: "small" })).tasks;
    expect(result.lastMentioned).toBeGreaterThan(0.2);
    expect(result.lastMentioned).toBeLessThan(0.7);
    expect(result.characters.median).toBeGreaterThan(300);
    expect(result.minimumDetectableDifference).toBeCloseTo((2.8015852 * Math.SQRT1_2) / Math.sqrt(200), 6);
  });

  it("refuses a training seed", async () => {
    await expect(evaluate(randomModel(1), { seed: "train/1" })).rejects.toThrow(ConfigError);
  });
});

describe("score", () => {
  it("is at the floor unless the whole interval is above chance", () => {
    expect(score("likelihood", 30, 100, 0.25)).toMatchObject({ atFloor: true });
    expect(score("likelihood", 45, 100, 0.25)).toMatchObject({ atFloor: false });
    expect(score("exact match", 0, 100, 0)).toMatchObject({ atFloor: true });
    expect(score("exact match", 1, 100, 0)).toMatchObject({ atFloor: false });
    expect(score("exact match", 0, 100, 1 / 3)).toMatchObject({ atFloor: true }); // answers of the wrong form, below guessing
  });
});
