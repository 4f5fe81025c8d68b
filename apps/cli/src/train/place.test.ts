import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nativeStatus } from "@espalier/kernels";
import { parseTrainPlan } from "@espalier/spec/plan";
import { openCorpus, prepareCorpus } from "@espalier/tokenizer/node";
import { readIdentity } from "@espalier/trainer";
import { afterAll, describe, expect, it } from "vitest";
import { createOutput } from "../terminal/output.ts";
import { documents, espalier, jsonLines, temporaryDirectory } from "../testing/run.ts";
import { defaultPlan } from "./defaultPlan.ts";
import { prepareExample } from "./place.ts";
import { stories } from "./stories.ts";

const scratch = temporaryDirectory();
const at = (...names: string[]) => join(scratch, ...names);
afterAll(() => rmSync(scratch, { recursive: true }));

describe("stories", () => {
  it("are the same for the same seed, others for another, and few are told twice", () => {
    const told = [...stories(4000)];
    expect([...stories(4000)]).toEqual(told);
    expect([...stories(10, 2)]).not.toEqual(told.slice(0, 10));
    expect(new Set(told).size).toBeGreaterThan(3900);
  });

  it("keep their plant throughout, and two different people", () => {
    for (const story of stories(500)) {
      const plants = new Set(story.match(/pear tree|apple tree|rose|vine|plum tree|fig tree|quince|hazel/g));
      expect(plants.size, story).toBe(1);
      expect(new Set(story.match(/Ada|Tom|Mira|Jo|Lin|Otto|Vera|Sam/g)).size, story).toBeLessThanOrEqual(2);
    }
  });
});

describe("defaultPlan", () => {
  it("is a plan for any vocabulary, grown in depth, with no more than eight passes over the text", () => {
    for (const [vocabSize, trainTokens] of [[257, 100], [4096, 50_000], [100_277, 1e12]] as const) {
      const { stages } = parseTrainPlan(defaultPlan(vocabSize, trainTokens));
      expect(stages.map(({ model }) => [model.vocabSize, model.numLayers])).toEqual([[vocabSize, 2], [vocabSize, 4]]);
      expect(stages[0]!.tokens + stages[1]!.tokens).toBeLessThanOrEqual(8 * trainTokens);
    }
  });
});

describe("the example", () => {
  const stream = { isTTY: false, write: () => true } as unknown as NodeJS.WriteStream;
  const context = { output: createOutput({ json: false, stream }), signal: new AbortController().signal, path: (value: string) => at(value) };

  it("writes a corpus and a plan that fit each other, and leaves a plan that the user has changed", async () => {
    const place = await prepareExample("example", context);
    const { tokenizer, manifest } = await openCorpus(place.data);
    const plan = parseTrainPlan(JSON.parse(readFileSync(place.plan!, "utf8")));
    expect(plan.stages[0]!.model.vocabSize).toBe(tokenizer.vocabSize);
    expect(manifest.train.numTokens).toBeGreaterThan(200_000);
    expect(existsSync(place.out)).toBe(false);
    writeFileSync(place.plan!, "mine");
    expect(await prepareExample("example", context)).toEqual(place);
    expect(readFileSync(place.plan!, "utf8")).toBe("mine");
  });
});

// A run through the reference executor would take minutes.
describe.skipIf(!nativeStatus().available)("espalier train without a plan (needs the native executor)", () => {
  it("takes the default one, and on the next call the run's own; the run's end names the next commands", async () => {
    mkdirSync(at("in"));
    writeFileSync(at("in", "text.jsonl"), documents(30));
    await prepareCorpus({ inputs: [at("in")], directory: at("corpus"), tokenizer: { vocabSize: 300 }, validationShare: 0.2 });
    const first = await espalier("train", "--data", at("corpus"), "--out", at("run"));
    expect(first).toMatchObject({ status: 0, stderr: "" });
    expect(first.stdout).toMatch(/^No --plan: 2 layers, grown to 4, of 128 channels; [\d,]+ tokens each\. .*run\.json keeps the plan\.$/m);
    expect(first.stdout).toMatch(/^Next:\n {2}espalier report .*run\n {2}espalier generate .*run "Once upon a time"$/m);
    const { manifest } = await openCorpus(at("corpus"));
    expect((await readIdentity(at("run"))).plan).toEqual(parseTrainPlan(defaultPlan(300, manifest.train.numTokens)));
    const again = await espalier("train", "--data", at("corpus"), "--out", at("run"), "--json");
    expect(again).toMatchObject({ status: 0, stderr: "" });
    expect(jsonLines(again.stdout).map(({ kind }) => kind)).toEqual(["done"]);
  });
});
