import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deviceExecutor } from "@espalier/kernels";
import { parseTrainPlan } from "@espalier/spec/plan";
import { packingStatistics } from "@espalier/tokenizer";
import { openCorpus, prepareCorpus, readDocumentEnds } from "@espalier/tokenizer/node";
import { corpusData, readIdentity, train } from "@espalier/trainer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documents, espalier, jsonLines, temporaryDirectory, tinyPlan } from "../testing/run.ts";

const scratch = temporaryDirectory();
const at = (...names: string[]) => join(scratch, ...names);
afterAll(() => rmSync(scratch, { recursive: true }));
const VOCAB = 300;
const STEPS = 6;

beforeAll(async () => {
  mkdirSync(at("in"));
  writeFileSync(at("in", "text.jsonl"), documents(60));
  await prepareCorpus({ inputs: [at("in")], directory: at("corpus"), tokenizer: { vocabSize: VOCAB }, validationShare: 0.2 });
  writeFileSync(at("plan.json"), JSON.stringify(tinyPlan(VOCAB, STEPS)));
  writeFileSync(at("masked.json"), JSON.stringify({ ...tinyPlan(VOCAB, STEPS), documentMasks: true }));
});

const trained = (out: string, plan: string, ...more: string[]) =>
  espalier("train", "--plan", at(plan), "--data", at("corpus"), "--out", at(out), "--threads", "1", "--json", ...more);
const digestOf = ({ status, stdout, stderr }: Awaited<ReturnType<typeof espalier>>): string => {
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const { digest } = jsonLines(stdout).at(-1)!.value as unknown as { digest: string };
  return digest;
};

describe("espalier train", () => {
  it("reads its corpus from disk and ends with the digest of a run over the same tokens in memory", async () => {
    const data = corpusData(await openCorpus(at("corpus")));
    const plan = parseTrainPlan(tinyPlan(VOCAB, STEPS));
    const { digest } = await train({ plan, data, directory: at("in memory"), executor: deviceExecutor({ device: "cpu", numThreads: 1 }) });
    expect(digestOf(await trained("on disk", "plan.json"))).toBe(digest);
  });

  it("--document-masks trains as a plan with documentMasks does, and records it in the run's plan", async () => {
    const [flag, stated, without] = await Promise.all([trained("flag", "plan.json", "--document-masks"), trained("stated", "masked.json"), trained("without", "plan.json")]);
    expect(digestOf(flag)).toBe(digestOf(stated));
    expect(digestOf(without)).not.toBe(digestOf(flag));
    expect((await readIdentity(at("flag"))).plan.documentMasks).toBe(true);
    expect((await readIdentity(at("without"))).plan.documentMasks).toBeUndefined();
    // A masked run is not continued without the masks.
    const other = await trained("flag", "plan.json");
    expect(other.status).toBe(1);
    expect(other.stderr).toContain("planDigest");
  });

  it("--packing trains as a plan with packing does, records it in the run's plan, and says what packing makes of the documents", async () => {
    writeFileSync(at("packed.json"), JSON.stringify({ ...tinyPlan(VOCAB, STEPS), packing: "bestFit" }));
    const [flag, stated, without] = await Promise.all([trained("packed flag", "plan.json", "--packing", "bestFit"), trained("packed stated", "packed.json"), trained("unpacked", "plan.json")]);
    expect(digestOf(flag)).toBe(digestOf(stated));
    expect(digestOf(without)).not.toBe(digestOf(flag));
    expect((await readIdentity(at("packed flag"))).plan.packing).toBe("bestFit");
    const { train: shard } = await openCorpus(at("corpus"));
    const ends = await readDocumentEnds(shard);
    const [packing] = jsonLines(flag.stdout).filter(({ kind }) => kind === "packing");
    const { seqLen } = parseTrainPlan(tinyPlan(VOCAB, STEPS)).stages[0]!.model;
    expect(packing!.value).toEqual({ source: "text", ...packingStatistics({ length: ends.length, slice: (from, to) => Array.from(ends.subarray(from, to), Number) }, seqLen) });
    const other = await trained("packed flag", "plan.json");
    expect(other.stderr).toContain("planDigest");
  });
});

describe("the README's plan", () => {
  it("is a plan of two stages, the second twice as deep", () => {
    const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
    const { stages } = parseTrainPlan(JSON.parse(/```json\n(\{[\s\S]*?)```/.exec(readme)![1]!));
    expect(stages.map(({ model }) => model.numLayers)).toEqual([2, 4]);
  });
});
