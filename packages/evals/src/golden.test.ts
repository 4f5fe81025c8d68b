import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { aggregate, bootstrapStandardError, pooledStandardError, standardError } from "./knowledge/aggregate.ts";
import { mmlu } from "./knowledge/mmlu/task.ts";
import { readJsonLines } from "./knowledge/readers.ts";
import { requestsOf } from "./knowledge/requests.ts";
import { requestsHash } from "./knowledge/sample.ts";
import { knowledgeNamed } from "./knowledge/table.ts";
import { openAiCompletions } from "./models/openAi.ts";
import { pythonRandom } from "./python/random.ts";
import { startServer } from "./testing/completionsServer.ts";

/** Accounts for every entry of every recorded file: each is compared somewhere, or skipped with what it would take. */
const data = new URL("../../../../shared/data/eval/", import.meta.url);
const golden = new URL("golden/", data);
const present = existsSync(golden);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, golden), "utf8")) as Record<string, unknown>;
const range = (n: number, first = 0) => Array.from({ length: n }, (_, k) => first + k);
const meanOf = (scores: readonly unknown[]) => (scores as number[]).reduce((sum, x) => sum + x, 0) / scores.length;

let server: Awaited<ReturnType<typeof startServer>> | undefined;
afterEach(() => server?.close());

describe.skipIf(!present)("recorded files (needs ../shared/data/eval/golden)", () => {
  it("are these three; few-shot prompts are compared in knowledge/regression.test.ts", () => {
    expect(readdirSync(golden).sort()).toEqual(["fewshot_prompts.json", "lmeval_v0_regression.json", "python_random_and_stats.json"]);
    expect(Object.keys(read("fewshot_prompts.json"))).toEqual(["note", "arc_challenge_25shot", "mmlu_anatomy_5shot_doc0"]);
  });
});

const statistics = present ? read("python_random_and_stats.json") : {};
const xs = statistics.xs as number[];
const lls = statistics.lls as number[];

/** What each entry records, by the form of its name. */
const entries: readonly [RegExp, (...found: number[]) => unknown][] = [
  [/^random_(\d+)_first5$/, (seed) => {
    const { random } = pythonRandom(seed);
    return range(5).map(() => random());
  }],
  [/^getrandbits32_(\d+)_first5$/, (seed) => {
    const { getrandbits } = pythonRandom(seed);
    return range(5).map(() => getrandbits(32));
  }],
  [/^sample_seed(\d+)_pop(\d+)_k(\d+)_x3$/, (seed, population, k) => {
    const { sample } = pythonRandom(seed);
    return range(3).map(() => sample(range(population), k));
  }],
  [/^shuffle_seed(\d+)_range(\d+)$/, (seed, n) => pythonRandom(seed).shuffle(range(n))],
  [/^choices_seed(\d+)_range(\d+)_k(\d+)$/, (seed, n, k) => pythonRandom(seed).choices(range(n), k)],
  [/^mean_stderr\(xs\)$/, () => standardError("mean", xs, 0)],
  [/^bootstrap_stderr\(mean,xs,(\d+)\)$/, (n) => bootstrapStandardError(meanOf, xs, n)],
  [/^perplexity\(lls\)$/, () => aggregate("perplexity", lls)],
  [/^bootstrap_stderr\(perplexity,lls,(\d+)\)$/, (n) => standardError("perplexity", lls, n)],
  [/^pooled_sample_stderr\(\[\.02,\.03,\.05\],\[100,200,50\]\)$/, () => pooledStandardError([0.02, 0.03, 0.05], [100, 200, 50])],
];

describe.skipIf(!present)("python_random_and_stats.json (needs ../shared/data/eval/golden)", () => {
  const names = Object.keys(statistics).filter((name) => !["xs", "lls"].includes(name) && !name.startsWith("rolling_windows"));

  it.each(names.length > 0 ? names : ["-"])("%s", (name) => {
    const [pattern, compute] = entries.find(([known]) => known.test(name))!;
    const computed = compute(...pattern.exec(name)!.slice(1).map(Number));
    const recorded = statistics[name];
    if (typeof recorded === "number") expect(computed).toBeCloseTo(recorded, 12);
    else expect(computed).toEqual(recorded);
  });

  it("rolling windows, as an endpoint is asked for them", async () => {
    const recorded = statistics["rolling_windows(range(1..10),prefix=0,max_seq_len=4,context_len=1)_disjoint"] as [number[], number[]][];
    server = await startServer();
    // Two positions of an endpoint's context are the token of context and the generated one.
    const model = await openAiCompletions({ baseUrl: server.baseUrl, model: "m", encode: () => range(10, 1), prefixToken: 0, maxLen: 4 + 2, retryMs: 1 });
    const probes = server.requests.length;
    const [{ numTokens }] = await model.rollingLoglikelihood(["whatever"]);
    expect(server.requests.slice(probes).map(({ prompt }) => prompt)).toEqual(recorded.map(([context, continuation]) => [...context, ...continuation]));
    expect(numTokens).toBe(recorded.flatMap(([, continuation]) => continuation).length);
  });
});

const recorded = present ? (read("lmeval_v0_regression.json").tasks as Record<string, { requests_sha256: string }>) : {};
/** Compared in knowledge/regression.test.ts, requests and scores. */
const here = ["arc_challenge-v0", "arc_easy-v0", "boolq-v1", "lambada_openai-v0", "truthfulqa_mc-v1", "winogrande-v0", "wsc273-v0"];
/** A user's files, where `espalier eval` expects them. */
const users: Readonly<Record<string, string>> = { "piqa-v0": "piqa", "openbookqa-v0": "openbookqa", "sciq-v0": "sciq", "cb-v1": "cb", "multirc-v1": "multirc", "rte-v0": "rte", "wic-v0": "wic", "wsc-v0": "wsc" };
const without: Readonly<Record<string, string>> = {
  "hellaswag-v0": "all 10,042 documents; 1,000 are here",
  "copa-v0": "the original COPA; Balanced COPA is here",
  "sst-v0": "a task for SST-2, which the suite lacks",
  "logiqa-v0": "a task for LogiQA, which the suite lacks",
};
const subjects = Object.keys(recorded).filter((name) => name.startsWith("hendrycksTest-"));
const subjectOf = (name: string) => name.replace(/^hendrycksTest-(.*)-v0$/, "$1");
const text = (path: string) => readFileSync(new URL(path, data), "utf8");
const subjectsHere = present ? new Set(readJsonLines(text("mmlu/mmlu_test_17subjects.jsonl")).map(({ subject }) => subject)) : new Set();
const allSubjects = new URL("mmlu/mmlu_test.jsonl", data);

describe.skipIf(!present)("lmeval_v0_regression.json (needs ../shared/data/eval/golden)", () => {
  it("records 76 tasks, each of which is compared or skipped with a reason", () => {
    expect(Object.keys(recorded).sort()).toEqual([...here, ...Object.keys(users), ...Object.keys(without), ...subjects].sort());
    expect([here.length, subjects.filter((name) => subjectsHere.has(subjectOf(name))).length, subjects.length]).toEqual([7, 17, 57]);
  });

  for (const [name, known] of Object.entries(users)) {
    const [entry] = knowledgeNamed([known]);
    it.skipIf(!existsSync(new URL(entry.docs.path, data)))(`${name} (needs a user's ${entry.docs.path})`, async () => {
      const [set] = entry.sets(text(entry.docs.path), undefined, "v0.3");
      expect(await requestsHash(requestsOf(set), 1)).toBe(recorded[name].requests_sha256);
    });
  }

  for (const name of subjects.filter((subject) => !subjectsHere.has(subjectOf(subject)))) {
    it.skipIf(!existsSync(allSubjects))(`${name} (needs a user's mmlu/mmlu_test.jsonl of 57 subjects)`, async () => {
      const docs = readJsonLines(text("mmlu/mmlu_test.jsonl")).filter(({ subject }) => subject === subjectOf(name));
      expect(await requestsHash(requestsOf({ task: mmlu(subjectOf(name), "v0.3"), docs }), 1)).toBe(recorded[name].requests_sha256);
    });
  }

  for (const [name, reason] of Object.entries(without)) it.skip(`${name} (needs ${reason})`, () => {});
});
