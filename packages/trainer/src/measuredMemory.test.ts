import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { firstBirths } from "@espalier/growth";
import { cpuExecutor, nativeStatus } from "@espalier/kernels";
import { type ModelConfig, modelConfig, type ModelShape } from "@espalier/spec/model";
import { afterAll, describe, expect, it } from "vitest";
import { trainingMemory } from "./memory.ts";
import { evaluationProgram, microStepProgram, optimizerProgram } from "./programs.ts";
import { temporaryDirectory, tinyPlan } from "./testing/runs.ts";

const shapes: Record<string, { shape: ModelShape; B: number }> = {
  "FLM, as long as wide": { shape: { family: "flm", numLayers: 4, residualDim: 256, numKvHeads: 4, headDim: 64, vocabSize: 4096, seqLen: 256 }, B: 8 },
  "FLM, large vocabulary": { shape: { family: "flm", numLayers: 4, residualDim: 256, numKvHeads: 4, headDim: 64, vocabSize: 50304, seqLen: 64 }, B: 4 },
  "Llama, grouped heads, untied": { shape: { family: "llama", numLayers: 4, residualDim: 512, numKvHeads: 4, groupSize: 2, headDim: 64, vocabSize: 8192, seqLen: 128, tiedHead: false }, B: 4 },
};
const directory = temporaryDirectory();
afterAll(() => rmSync(directory, { recursive: true }));

const skipped = !nativeStatus().available ? " (skipped: no native kernels)" : process.platform !== "linux" ? " (skipped: only Linux tells a process its peak)" : "";

describe.skipIf(skipped !== "")(`measured peak memory${skipped}`, () => {
  const plan = tinyPlan();
  const programs = (config: ModelConfig, B: number) => {
    const batch = { B, T: config.seqLen };
    return [microStepProgram(config, batch), optimizerProgram(config, plan.optimizer, firstBirths(config)), evaluationProgram(config, batch)];
  };
  const write = (name: string, config: ModelConfig, B: number) => {
    const file = join(directory, `${name}.json`);
    writeFileSync(file, JSON.stringify(programs(config, B)));
    return file;
  };

  it.each(Object.entries(shapes))("is within 2 %% of the plan: %s", async (name, { shape, B }) => {
    const config = modelConfig(shape);
    const stages = [{ ...plan.stages[0]!, model: config, tokens: B * config.seqLen }];
    const { peakBytes } = trainingMemory({ ...plan, microBatchSize: B, stages }, cpuExecutor({ numThreads: 2 }))[0]!;
    const small = write("small", modelConfig({ ...shape, numLayers: 1, vocabSize: 64, seqLen: 16 }), 1);
    const child = join(import.meta.dirname, "testing/measuredMemory.ts");
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", "--single-threaded-gc", "--max-semi-space-size=1", "--conditions=@espalier/source", "--disable-warning=ExperimentalWarning", child, small, write(name, config, B)]);
    expect(Number(stdout) / peakBytes).toBeGreaterThan(0.98);
    expect(Number(stdout) / peakBytes).toBeLessThan(1.02);
  }, 60_000);
});
