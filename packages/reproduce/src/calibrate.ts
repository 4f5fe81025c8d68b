import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Progress } from "@espalier/core";
import { calibrateSteps, type MachineProfile, type MeasuredStep, predictStepSeconds, roughProfile, type StepCalibration } from "@espalier/cost";
import { evaluate } from "@espalier/evals";
import { cpuExecutor } from "@espalier/kernels";
import { type ModelConfig, modelConfig } from "@espalier/spec/model";
import { loadLanguageModel, readMetrics, trainInProcess } from "@espalier/trainer";
import type { Corpus } from "@espalier/tokenizer/node";
import { machineFacts } from "./machine.ts";
import { type MemoryWatch, watchMemory } from "./memory.ts";
import { plannedBytes } from "./plannedMemory.ts";

export interface Calibration {
  machine: MachineProfile;
  steps: StepCalibration;
  /** Tests of one checkpoint on one thread. */
  evaluateSeconds(model: ModelConfig): number;
  startSeconds: number;
  /** Resident memory of a training process beyond what its programs and shards were planned to take. */
  engineBytes: number;
}

const BATCH = 8;
const STEPS = 40;
/** Steps that are not counted: page faults, caches, clocks. */
const WARMUP = 10;

/** Shapes of the size that small budgets lead to, and widths that are no multiple of a vector: those are slower than their neighbours. */
function shapes(vocabSize: number, seqLen: number): ModelConfig[] {
  const shape = (numLayers: number, residualDim: number) =>
    modelConfig({ family: "flm", vocabSize, seqLen, numLayers, residualDim, numKvHeads: residualDim / 18 });
  return [shape(8, 72), shape(2, 72), shape(4, 36)];
}

/** Of step times: another program's burst on this machine must not shrink the whole experiment. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/**
 * Measures what a training step, a start and an evaluation cost here: three shapes trained for a few steps, with every
 * core busy as it will be later.
 */
export async function calibrate(
  { corpusDirectory, corpus, directory, seqLen, items }: { corpusDirectory: string; corpus: Corpus; directory: string; seqLen: number; items: number },
  progress: Progress,
  signal: AbortSignal,
): Promise<Calibration> {
  const { cores, cpu } = machineFacts();
  const models = shapes(corpus.tokenizer.vocabSize, seqLen);
  const root = join(directory, "calibration");
  await rm(root, { recursive: true, force: true });

  const measureShape = async (model: ModelConfig, i: number, copy: number) => {
    const started = performance.now();
    const run = join(root, `shape-${i}-${copy}`);
    let memory: MemoryWatch | undefined;
    const result = await trainInProcess(
      {
        plan: {
          name: `calibration-${i}-${copy}`,
          seed: copy,
          stages: [{ name: "only", model, tokens: STEPS * BATCH * seqLen, learningRate: "inherit" }],
          optimizer: { peakLearningRate: 1e-3, finalShare: 1, warmupSteps: 1, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
          microBatchSize: BATCH,
          gradAccumSteps: 1,
          validateEvery: STEPS / 2, // as a job does, for the memory that it takes
          validationSequences: BATCH,
          checkpointEvery: 0,
        },
        corpus: corpusDirectory,
        directory: run,
      },
      { signal, onStart: (pid) => void (memory = watchMemory(pid)) },
    );
    const peakBytes = memory?.stop() ?? 0;
    const wall = (performance.now() - started) / 1000;
    const metrics = await readMetrics(run);
    const seconds = median(metrics.slice(WARMUP).map((metric, step) => metric.seconds - metrics[WARMUP + step - 1]!.seconds));
    return { measured: { model, batch: { microBatchSize: BATCH }, seconds } satisfies MeasuredStep, startSeconds: wall - result.seconds, engineBytes: peakBytes - plannedBytes([model], BATCH, corpus), result };
  };

  const all = [];
  for (const [i, model] of models.entries()) {
    // As many copies as cores: a core alone would be faster than it will be.
    all.push(...(await Promise.all(Array.from({ length: cores }, (_, copy) => measureShape(model, i, copy)))));
    progress({ task: "calibrate", done: i + 1, total: models.length + 1, unit: "shapes" });
  }
  const executor = cpuExecutor({ numThreads: 1 });
  const testSeconds = async (checkpoint: string) => {
    const model = await loadLanguageModel({ model: checkpoint, tokenizer: corpus.tokenizer, executor });
    const tried = Math.min(items, 16);
    const started = performance.now();
    await evaluate(model, { items: tried, seed: "calibration", signal });
    model.free();
    return ((performance.now() - started) / 1000) * (items / tried);
  };
  const large = all[0]!;
  const small = all.at(-1)!;
  const largeTests = await testSeconds(large.result.checkpoint);
  const smallTests = await testSeconds(small.result.checkpoint);
  progress({ task: "calibrate", done: models.length + 1, total: models.length + 1, unit: "shapes" });
  await rm(root, { recursive: true, force: true });

  const rates = all.map(({ measured }) => measured);
  const machine = roughProfile({ name: cpu, cores, gflopsPerThread: 200 });
  const steps = calibrateSteps(machine, rates);
  const stepSeconds = (model: ModelConfig) => predictStepSeconds(model, { microBatchSize: BATCH }, machine, steps).seconds;
  const slope = Math.max(0, (largeTests - smallTests) / (stepSeconds(large.measured.model) - stepSeconds(small.measured.model)));
  return {
    machine,
    steps,
    // A part that every model takes, and one in proportion to its size.
    evaluateSeconds: (model) => Math.max(0, smallTests + slope * (stepSeconds(model) - stepSeconds(small.measured.model))),
    startSeconds: Math.max(...all.map(({ startSeconds }) => startSeconds)),
    engineBytes: Math.max(0, ...all.map(({ engineBytes }) => engineBytes)),
  };
}
