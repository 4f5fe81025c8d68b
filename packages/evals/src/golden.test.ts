import { existsSync, readdirSync, readFileSync } from "node:fs";
import { DataError } from "@espalier/core";
import { afterEach, describe, expect, it } from "vitest";
import { aggregate, bootstrapStandardError, pooledStandardError, standardError } from "./knowledge/aggregate.ts";
import { checkGolden, readGolden } from "./knowledge/golden.ts";
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

/** What ../shared/data/eval has no documents for, by the file that `espalier eval golden` would take. */
const lacking: Readonly<Record<string, string>> = {
  "hellaswag-v0": "hellaswag/hellaswag_val.jsonl with all 10,042 documents",
  "copa-v0": "copa/validation.jsonl, the 100 documents of SuperGLUE",
  "piqa-v0": "piqa/validation.jsonl",
  "openbookqa-v0": "openbookqa/test.jsonl",
  "sciq-v0": "sciq/test.jsonl",
  "cb-v1": "cb/validation.jsonl",
  "multirc-v1": "multirc/validation.jsonl",
  "rte-v0": "rte/validation.jsonl",
  "wic-v0": "wic/validation.jsonl",
  "wsc-v0": "wsc/validation.jsonl",
};

describe.skipIf(!present)("lmeval_v0_regression.json (needs ../shared/data/eval/golden)", () => {
  const recording = () => readFileSync(new URL("lmeval_v0_regression.json", golden), "utf8");
  const file = async (path: string) => (existsSync(new URL(path, data)) ? readFileSync(new URL(path, data), "utf8") : undefined);

  it("records 76 tasks: 24 are reproduced, number by number, 50 lack data and 2 a task", { timeout: 180_000 }, async () => {
    const checks = await checkGolden(recording(), file);
    expect(checks).toHaveLength(76);
    const named = (status: string) => checks.filter((check) => check.status === status).map(({ name }) => name);
    expect(named("different")).toEqual([]);
    expect(named("reproduced").filter((name) => !name.startsWith("hendrycksTest"))).toEqual(["arc_challenge-v0", "arc_easy-v0", "boolq-v1", "lambada_openai-v0", "truthfulqa_mc-v1", "winogrande-v0", "wsc273-v0"]);
    expect(named("reproduced")).toHaveLength(7 + 17);
    expect(named("no task")).toEqual(["sst-v0", "logiqa-v0"]);
    const without = checks.filter(({ status }) => status === "no data");
    expect(Object.fromEntries(without.filter(({ name }) => !name.startsWith("hendrycksTest")).map(({ name, detail }) => [name, detail.replace(/^needs /, "")]))).toEqual(lacking);
    expect(without.filter(({ name }) => name.startsWith("hendrycksTest"))).toHaveLength(57 - 17);
    expect(checks.reduce((sum, { compared }) => sum + compared, 0)).toBe(24 + checks.filter(({ status }) => status === "reproduced").reduce((sum, { name }) => sum + Object.keys(readGolden(recording())[name]!.results).length, 0));
  });

  it("says what differs when a document, or a recorded number, is another", async () => {
    const { "wsc273-v0": entry } = readGolden(recording());
    const check = async (text: string, results = entry!.results) => (await checkGolden(JSON.stringify({ tasks: { "wsc273-v0": { ...entry, results } } }), async () => text))[0]!;
    const text = (await file("wsc273/winograd_wsc.jsonl"))!;
    expect(await check(text)).toMatchObject({ status: "reproduced", documents: 273 });
    expect(await check(text.split("\n").slice(1).join("\n"))).toMatchObject({ status: "different", detail: expect.stringMatching(/^requests have SHA-256 .* other documents, or another order$/) });
    expect(await check(text, { acc: 0.5, acc_stderr: entry!.results.acc_stderr! })).toMatchObject({ status: "different", detail: expect.stringMatching(/^acc is 0\.\d+, recorded is 0\.5$/) });
  });

  it.each(["{", "[]", '{"tasks": {}}', '{"tasks": {"a": null}}', '{"tasks": {"a": {"requests_sha256": "x", "results": null}}}'])("refuses %s as a record", (text) => {
    expect(() => readGolden(text)).toThrow(DataError);
  });
});
