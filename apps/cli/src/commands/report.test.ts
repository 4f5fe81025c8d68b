import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nativeStatus } from "@espalier/kernels";
import { prepareCorpus } from "@espalier/tokenizer/node";
import type { TrainResult } from "@espalier/trainer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunSummary } from "../report/run.ts";
import { documents, espalier, jsonLines, temporaryDirectory, tinyPlan } from "../testing/run.ts";

const scratch = temporaryDirectory();
const at = (...names: string[]) => join(scratch, ...names);
afterAll(() => rmSync(scratch, { recursive: true }));
const VOCAB = 300;
const STEPS = 20;

// Training through the reference executor would take minutes.
describe.skipIf(!nativeStatus().available)("espalier report of a run (needs the native executor)", () => {
  let result: TrainResult;
  beforeAll(async () => {
    mkdirSync(at("in"));
    writeFileSync(at("in", "text.jsonl"), documents(60));
    await prepareCorpus({ inputs: [at("in")], directory: at("corpus"), tokenizer: { vocabSize: VOCAB }, validationShare: 0.2 });
    writeFileSync(at("plan.json"), JSON.stringify(tinyPlan(VOCAB, STEPS)));
    const { stdout } = await espalier("train", "--plan", at("plan.json"), "--data", at("corpus"), "--out", at("reproduction/runs/a/seed-0"), "--json");
    result = jsonLines(stdout).at(-1)!.value as unknown as TrainResult;
    cpSync(at("reproduction/runs/a/seed-0"), at("half"), { recursive: true });
    for (const [file, kept] of [["metrics.jsonl", STEPS / 2], ["events.jsonl", 1]] as const) {
      const lines = readFileSync(at("half", file), "utf8").split("\n");
      writeFileSync(at("half", file), `${lines.slice(0, kept).join("\n")}\n`);
    }
  });
  const summary = async (place: string) => {
    const { status, stdout, stderr } = await espalier("report", place, "--json");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return jsonLines(stdout).map(({ kind, value }) => (expect(kind).toBe("run"), value as unknown as RunSummary));
  };

  it("says what training said: steps, tokens, FLOPs, seconds, losses of the stages, the digest", async () => {
    const [run] = await summary(at("reproduction/runs/a/seed-0"));
    const { steps, tokens, flops, seconds, digest } = result;
    expect(run).toMatchObject({ state: "done", step: steps, totalSteps: steps, tokens, seconds, digest, segments: 1, rollbacks: 0 });
    expect(run!.flops / flops).toBeCloseTo(1, 6);
    expect(run!.stages.map(({ name, validationLoss, bitsPerByte }) => ({ name, validationLoss, bitsPerByte }))).toEqual(result.stages.map(({ name, validationLoss, bitsPerByte }) => ({ name, validationLoss, bitsPerByte })));
    expect(run!.stages.reduce((sum, stage) => sum + stage.tokens, 0)).toBe(tokens);
    expect(run!.stages.reduce((sum, stage) => sum + stage.seconds, 0)).toBeCloseTo(seconds, 9);
    expect(run!.growths).toEqual([expect.objectContaining({ step: STEPS, stage: run!.stages[1]!.name })]);
    expect(run!.losses).toHaveLength(steps);
  });

  it("shows stages, the growth, the curve and where the model lies", async () => {
    const { stdout } = await espalier("report", at("reproduction/runs/a/seed-0"));
    expect(stdout).toMatch(/: done; [\d.]+ k? ?tokens in \d+ s, .*tokens\/s, .*FLOP, .*FLOP\/s$/m);
    expect(stdout).toMatch(/^stage +shape +params +tokens +time +tokens\/s +loss +val\. loss +bits\/byte\n.*\n.*\nstep 20: grown into /m);
    expect(stdout).toMatch(/^training loss, nats a token {2}\d\.\d\d [▁▂▃▄▅▆▇█]{40} \d\.\d\d\n +\^ grown$/m);
    expect(stdout).toMatch(/the newest: .*step-00000040\n/);
  });

  it("of a run in its middle says how far it came, and of a directory of runs each in one line", async () => {
    const [half] = await summary(at("half"));
    expect(half).toMatchObject({ state: "begun", step: STEPS / 2, totalSteps: 2 * STEPS });
    expect(half!.stages[1]).toMatchObject({ tokens: 0, seconds: 0 });
    expect(half!.stages[1]!.trainLoss).toBeUndefined();
    expect((await espalier("report", at("half"))).stdout).toMatch(/at step 10 of 40 \(25 %\)/);
    const { stdout } = await espalier("report", at("reproduction"));
    expect(stdout).toMatch(/has no report yet: .*\ndone {2}runs\/a\/seed-0 {2}loss \d\.\d{4}\n$/);
  });

  it("of a finished reproduction shows arms and what serves it, pilots as a count", async () => {
    const arm = { seed: 0, stages: [{ model: { numLayers: 2, residualDim: 16 } }], tokens: 2000, flops: 1.5e9, seconds: 3.25, finalLoss: 2.5, bitsPerByte: 1.25 };
    const report = {
      format: "espalier-report-1",
      headline: "Growth saved compute.",
      caveat: "At a small scale.",
      comparisons: [],
      arms: [{ ...arm, id: "grown/seed-0", role: "treatment" }, { ...arm, id: "pilot/seed-0", role: "pilot" }],
      machine: { cores: 2, cpu: "a processor", instructionPath: "avx2" },
      corpus: { name: "stories", trainTokens: 4000, vocabSize: 300 },
      claims: [{ verdict: "measured" }, { verdict: "measured" }],
      cost: { kwh: 0.01, usd: 0.02, kgCo2e: 0.003 },
      minutesTaken: 4.5,
      minutesAsked: 5,
    };
    mkdirSync(at("finished"));
    writeFileSync(at("finished/report.json"), JSON.stringify(report));
    const { status, stdout } = await espalier("report", at("finished"));
    expect(status).toBe(0);
    expect(stdout).toMatch(/^grown +0 +L2 C16 +2000 +1\.5e9 +3\.3 +2\.5000 +1\.2500\n1 pilot besides\./m);
    expect(stdout).toMatch(/^claims {4}2 of the paper: 2 measured$/m);
    expect(stdout).toMatch(/opens in a browser\. To serve it:\n {2}(\S+ )*espalier serve \S*finished\n$/);
  });

  it("refuses a directory of another kind", async () => {
    const { status, stderr } = await espalier("report", at("corpus"));
    expect({ status, stderr }).toEqual({ status: 1, stderr: `error ${at("corpus")}: holds no report.json, no run.json and no runs, expected a directory written by \`espalier train\` or \`espalier reproduce\`. Check the path.\n` });
  });
});
