/**
 * Throughput of whole optimiser steps, one thread: micro-step, clipping and AdamW, host work included.
 *
 *     node --conditions=@espalier/source bench/train.bench.ts [seconds a row = 8] [threads = 1]
 *
 * Each row: tokens/s and GFLOP/s by the training formula (3 forward passes), median of the steps after warm-up with the
 * fastest and slowest tenth, and the share of a step that is not the native program.
 */

import { performance } from "node:perf_hooks";
import { random } from "@espalier/core";
import { cpuExecutor } from "@espalier/kernels";
import { modelConfig, type ModelShape, trainingFlopsPerToken } from "@espalier/spec/model";
import { batchAt } from "@espalier/tokenizer";
import { DeviceModel } from "../src/deviceModel.ts";
import { initialParameters, zeroMoments } from "../src/initialise.ts";
import { trainStep } from "../src/optimizer.ts";

const seconds = Number(process.argv[2] ?? 8);
const executor = cpuExecutor({ numThreads: Number(process.argv[3] ?? 1) });
const B = 8;
const T = 128;
const base = { family: "flm", vocabSize: 1024, seqLen: T, headDim: 24 } as const;
const shapes: Record<string, ModelShape> = {
  "FLM L8 d96": { ...base, numLayers: 8, residualDim: 96, numKvHeads: 4 },
  "FLM L4 d96": { ...base, numLayers: 4, residualDim: 96, numKvHeads: 4 },
  "FLM L2 d96": { ...base, numLayers: 2, residualDim: 96, numKvHeads: 4 },
  "FLM L4 d48": { ...base, numLayers: 4, residualDim: 48, numKvHeads: 2 },
  "Llama L8 d96": { ...base, family: "llama", numLayers: 8, residualDim: 96, numKvHeads: 2, groupSize: 2 },
};
const stream = random(1, "bench");
const sources = [{ name: "noise", weight: 1, tokens: Uint32Array.from({ length: 200_000 }, (_, i) => stream.integer(i, 1024)) }];
const optimizer = { peakLearningRate: 1e-3, finalShare: 0.1, warmupSteps: 0, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 };

console.log(`${executor.instructionPath}, ${executor.numThreads} thread(s), B ${B}, T ${T}, V ${base.vocabSize}`);
for (const [name, shape] of Object.entries(shapes)) {
  const config = modelConfig(shape);
  const moments = { first: zeroMoments(config), second: zeroMoments(config) };
  const model = new DeviceModel(executor, { config, parameters: initialParameters(config, 1), moments });
  const step = () =>
    trainStep(model, {
      shape: { B, T },
      numMicroBatches: 1,
      numTargets: B * T,
      batch: () => batchAt({ sources, seed: 1, tokenOffset: model.step * B * T, batchSize: B, seqLen: T }),
      learningRate: 1e-3,
      optimizer,
    });
  for (let i = 0; i < 5; i++) await step();
  const times: number[] = [];
  const end = performance.now() + 1000 * seconds;
  const profiled = () => ["micro 8 128", "optimizer"].flatMap((key) => model.program(key, () => { throw new Error(key); }).program.profile());
  const nativeBefore = profiled().reduce((sum, row) => sum + row.seconds, 0);
  const begin = performance.now();
  while (performance.now() < end) {
    const start = performance.now();
    await step();
    times.push(performance.now() - start);
  }
  const wall = (performance.now() - begin) / 1000;
  const rows = profiled();
  const native = rows.reduce((sum, row) => sum + row.seconds, 0) - nativeBefore;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * (times.length - 1))]!;
  const tokensPerSecond = (B * T * 1000) / at(0.5);
  const gflops = (tokensPerSecond * trainingFlopsPerToken(config)) / 1e9;
  console.log(
    `${name.padEnd(13)} ${tokensPerSecond.toFixed(0).padStart(7)} tokens/s  ${gflops.toFixed(1).padStart(6)} GFLOP/s  ` +
      `step ${at(0.5).toFixed(2)} ms (${at(0.1).toFixed(2)} to ${at(0.9).toFixed(2)})  host ${(100 * (1 - native / wall)).toFixed(1)} %`,
  );
  const byOp = new Map<string, number>();
  for (const row of rows) byOp.set(row.op, (byOp.get(row.op) ?? 0) + row.seconds);
  const total = [...byOp.values()].reduce((a, b) => a + b, 0);
  const top = [...byOp].sort((a, b) => b[1] - a[1]).slice(0, 8).map(([op, s]) => `${op} ${((100 * s) / total).toFixed(0)} %`);
  console.log(`  ${top.join(", ")}`);
  model.free();
}
