import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { arc } from "./arc/task.ts";
import { boolQ, readBoolQDocs } from "./boolQ/task.ts";
import { recordedAnswers } from "./golden.ts";
import { scoreDocument } from "./metrics.ts";
import { lambada, readLambada } from "./lambada/task.ts";
import { mmlu, mmluSets } from "./mmlu/task.ts";
import { readJsonLines } from "./readers.ts";
import { requestsOf } from "./requests.ts";
import { requestsHash } from "./sample.ts";
import { aggregate, aggregationOf, standardError } from "./aggregate.ts";
import type { KnowledgeSet } from "./task.ts";
import { readTruthfulQa, truthfulQaMc } from "./truthfulQa/task.ts";
import { winogrande, wsc273 } from "./winograd/task.ts";

/**
 * lm-evaluation-harness recorded, for each of its tasks, the digest of all requests and the scores of a model that
 * answers by `-random()`. Both are reproduced here from the documents alone; the data are not part of the project.
 */
const data = new URL("../../../../../shared/data/eval/", import.meta.url);
const present = existsSync(data);
const read = (name: string) => readFileSync(new URL(name, data), "utf8");

interface Recorded {
  requests_sha256: string;
  results: Record<string, number>;
}
const recorded = present ? (JSON.parse(read("golden/lmeval_v0_regression.json")) as { tasks: Record<string, Recorded> }).tasks : {};

const sets: Record<string, () => KnowledgeSet> = {
  "arc_challenge-v0": () => ({ task: arc("challenge", "v0.3"), docs: readJsonLines(read("arc/arc_challenge_test.jsonl")) }),
  "arc_easy-v0": () => ({ task: arc("easy", "v0.3"), docs: readJsonLines(read("arc/arc_easy_test.jsonl")) }),
  "boolq-v1": () => ({ task: boolQ("v0.3"), docs: readBoolQDocs(read("boolq/boolq_dev.jsonl")) }),
  "lambada_openai-v0": () => ({ task: lambada("v0.3"), docs: readLambada(read("lambada/lambada_openai_test.jsonl")) }),
  "truthfulqa_mc-v1": () => ({ task: truthfulQaMc, docs: readTruthfulQa(read("truthfulqa/mc_task.json")) }),
  "winogrande-v0": () => ({ task: winogrande("v0.3"), docs: readJsonLines(read("winogrande/winogrande_dev.jsonl")) }),
  "wsc273-v0": () => ({ task: wsc273("v0.3"), docs: readJsonLines(read("wsc273/winograd_wsc.jsonl")) }),
};
const mmluDocs = present ? readJsonLines(read("mmlu/mmlu_test_17subjects.jsonl")) : [];
for (const subject of new Set(mmluDocs.map((doc) => String(doc.subject)))) {
  sets[`hendrycksTest-${subject}-v0`] = () => ({ task: mmlu(subject, "v0.3"), docs: mmluDocs.filter((doc) => doc.subject === subject) });
}

/** Accuracy, its error and the like under the names that were recorded. */
const recordedName: Record<string, string> = { perplexity: "ppl" };

describe.skipIf(!present)("requests and scores that lm-evaluation-harness recorded (needs ../shared/data/eval)", () => {
  it.each(Object.keys(sets))("%s", { timeout: 120_000 }, async (name) => {
    const set = sets[name]();
    const requests = requestsOf(set);
    const times = name.startsWith("lambada") ? 2 : 1; // likelihood and greediness were asked one by one
    expect(await requestsHash(requests, times)).toBe(recorded[name].requests_sha256);

    const answers = recordedAnswers(requests, times);
    const scores = requests.map(({ doc }, i) => scoreDocument(set.task, doc, { loglikelihoods: answers[i] }));
    let compared = 0; // the recording resampled ten times
    for (const { name: metric } of set.task.metrics) {
      const values = scores.map((score) => score[metric]);
      const as = recordedName[metric] ?? metric;
      expect(aggregate(aggregationOf(metric), values), metric).toBeCloseTo(recorded[name].results[as], 12);
      expect(standardError(aggregationOf(metric), values, 10), `${metric} error`).toBeCloseTo(recorded[name].results[`${as}_stderr`], 12);
      compared += 2;
    }
    expect(compared).toBe(Object.keys(recorded[name].results).length);
  });

  it("covers every recorded task whose documents are present", () => {
    expect(Object.keys(sets)).toHaveLength(7 + 17);
    for (const name of Object.keys(sets)) expect(recorded[name], name).toBeDefined();
  });
});

const sha256 = async (text: string) => (await import("../digest.ts")).sha256Text(text);

describe.skipIf(!present)("few-shot prompts of the present harness (needs ../shared/data/eval)", () => {
  const golden = present
    ? (JSON.parse(read("golden/fewshot_prompts.json")) as {
        arc_challenge_25shot: { doc: number; fewshot_train_indices: number[]; prompt_chars: number; prompt_sha256: string; tail: string }[];
        mmlu_anatomy_5shot_doc0: { prompt: string; prompt_sha256: string };
      })
    : undefined;

  it("ARC-Challenge, 25 shots", async () => {
    const train = readJsonLines(read("arc/arc_challenge_train.jsonl"));
    const set = { task: arc("challenge"), docs: readJsonLines(read("arc/arc_challenge_test.jsonl")), fewshotDocs: train };
    const asked = requestsOf(set, { numFewshot: 25 }, 3);
    for (const { doc, fewshot_train_indices, prompt_chars, prompt_sha256, tail } of golden!.arc_challenge_25shot) {
      expect(asked[doc].shots.map((shot) => train.indexOf(shot))).toEqual(fewshot_train_indices);
      const { context } = asked[doc].requests[0];
      expect(context.endsWith(tail)).toBe(true);
      expect([...context]).toHaveLength(prompt_chars);
      expect(await sha256(context)).toBe(prompt_sha256);
    }
  });

  it("MMLU anatomy, 5 shots", async () => {
    const sets = mmluSets(mmluDocs, readJsonLines(read("mmlu/mmlu_dev.jsonl")));
    const [first] = requestsOf(sets.find(({ task }) => task.name === "mmlu_anatomy")!, { numFewshot: 5 }, 1);
    expect(first.requests[0].context).toBe(golden!.mmlu_anatomy_5shot_doc0.prompt);
    expect(await sha256(first.requests[0].context)).toBe(golden!.mmlu_anatomy_5shot_doc0.prompt_sha256);
    expect(first.requests.map(({ continuation }) => continuation)).toEqual([" A", " B", " C", " D"]);
  });
});
