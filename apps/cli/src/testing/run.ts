import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { random } from "@espalier/core";
import { modelConfig, type ModelShape } from "@espalier/spec/model";
import type { TrainPlan } from "@espalier/spec/plan";

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

const main = join(import.meta.dirname, "../main.ts");

/** Starts `espalier ARGS` from source, as `pnpm espalier` does. `done` resolves at its end. */
export function start(args: readonly string[], cwd?: string, stdin: "ignore" | "pipe" = "ignore", env: NodeJS.ProcessEnv = {}): { child: ChildProcess; done: Promise<Ran> } {
  const child: ChildProcess = spawn(process.execPath, ["--conditions=@espalier/source", "--disable-warning=ExperimentalWarning", main, ...args], {
    stdio: [stdin, "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, INIT_CWD: undefined, ...env },
    ...(cwd ? { cwd } : {}),
  });
  const ran: Ran = { status: null, stdout: "", stderr: "" };
  child.stdout!.on("data", (chunk: Buffer) => void (ran.stdout += chunk.toString()));
  child.stderr!.on("data", (chunk: Buffer) => void (ran.stderr += chunk.toString()));
  return { child, done: new Promise((resolve) => child.once("close", (status) => resolve({ ...ran, status }))) };
}

export const espalier = (...args: string[]): Promise<Ran> => start(args).done;

/** The lines of `--json` output; throws where a line is not JSON. */
export function jsonLines(stdout: string): { kind: string; value?: never; [field: string]: unknown }[] {
  return stdout.trim().split("\n").map((line) => JSON.parse(line) as { kind: string });
}

export const temporaryDirectory = (): string => mkdtempSync(join(tmpdir(), "espalier-cli-"));

/** JSON Lines of documents with a little grammar in them, about `kilobytes` in all. */
export function documents(kilobytes: number): string {
  const words = random(1, "cli documents").sequence();
  const list = (text: string) => text.split(" ");
  const [who, does, what, how] = [list("Ada Tom Mira Jo Lin"), list("waters prunes ties plants counts"), list("trees roses vines apples pears"), list("slowly daily twice again well")];
  let text = "";
  for (let i = 0; text.length < kilobytes * 1000; i++) {
    const sentences = Array.from({ length: 12 }, () => `${words.pick(who)} ${words.pick(does)} ${1 + words.integer(99)} ${words.pick(what)} ${words.pick(how)}.`);
    text += `${JSON.stringify({ text: `${i}. ${sentences.join(" ")}` })}\n`;
  }
  return text;
}

export function tinyModel(vocabSize: number, changes: Partial<ModelShape> = {}) {
  return modelConfig({ family: "flm", vocabSize, seqLen: 32, numLayers: 1, residualDim: 16, ffnDim: 32, numKvHeads: 2, headDim: 8, initStd: 0.1, ...changes });
}

const STEP_TOKENS = 4 * 32;

/** Two stages with MSG on every axis between them. */
export function tinyPlan(vocabSize: number, steps: number): TrainPlan {
  const target = tinyModel(vocabSize, { numLayers: 2, residualDim: 24, ffnDim: 48, numKvHeads: 3 });
  return {
    name: "tiny",
    seed: 1,
    microBatchSize: 4,
    validateEvery: steps,
    validationSequences: 4,
    checkpointEvery: Math.ceil(steps / 4),
    optimizer: { peakLearningRate: 0.01, warmupSteps: 3 },
    stages: [
      { name: "small", model: tinyModel(vocabSize), tokens: steps * STEP_TOKENS },
      {
        name: "large",
        model: target,
        tokens: steps * STEP_TOKENS,
        growth: { operators: { residual: "msg", ffn: "msg", head: "msg", depth: "msg" }, rampSteps: 4, rewarmSteps: 0, seed: 1 },
      },
    ],
  } as unknown as TrainPlan;
}
