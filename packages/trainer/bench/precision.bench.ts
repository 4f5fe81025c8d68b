/**
 * Loss curves of fp32 and bf16: the same model, batches and seed in both, over several seeds.
 *
 *     pnpm bench:precision [--steps 500] [--seeds 1,2,3] [--threads 1]
 *
 * Text: the Markdown files of this repository as bytes. Prints, for each stretch of steps, the mean loss in nats per byte,
 * the difference bf16 - fp32 of equal seeds, and the spread of fp32 alone over the seeds, which is the noise that the
 * difference is to stay within. Ends with 1 when the mean difference at the end exceeds it.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Precision } from "@espalier/graph";
import { cpuExecutor } from "@espalier/kernels";
import { modelConfig } from "@espalier/spec/model";
import { batchAt } from "@espalier/tokenizer";
import { DeviceModel } from "../src/deviceModel.ts";
import { initialParameters, zeroMoments } from "../src/initialise.ts";
import { trainStep } from "../src/optimizer.ts";

const { values: options } = parseArgs({
  options: { steps: { type: "string", default: "500" }, seeds: { type: "string", default: "1,2,3" }, threads: { type: "string", default: "1" } },
});
const steps = Number(options.steps);
const seeds = options.seeds.split(",").map(Number);
const STRETCHES = 5;
const B = 8;
const T = 64;
const checkout = join(import.meta.dirname, "../../..");
const files = execFileSync("git", ["-C", checkout, "ls-files", "*.md"], { encoding: "utf8" }).trim().split("\n").toSorted();
const text = Uint32Array.from(Buffer.concat(files.map((file) => readFileSync(join(checkout, file)))));

const config = modelConfig({ family: "flm", vocabSize: 256, seqLen: T, numLayers: 3, residualDim: 96, numKvHeads: 3, headDim: 32 });
const optimizer = { peakLearningRate: 2e-3, finalShare: 0.1, warmupSteps: 20, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 };

/** Loss of each step in nats per byte; the learning rate is warmed up and then kept at its peak. */
async function losses(precision: Precision, seed: number): Promise<number[]> {
  const executor = cpuExecutor({ numThreads: Number(options.threads) });
  const moments = { first: zeroMoments(config), second: zeroMoments(config) };
  const model = new DeviceModel(executor, { config, parameters: initialParameters(config, seed), moments }, { precision });
  const sources = [{ name: "markdown", weight: 1, tokens: text }];
  const curve: number[] = [];
  for (let step = 0; step < steps; step++) {
    const { loss } = await trainStep(model, {
      shape: { B, T },
      numMicroBatches: 1,
      numTargets: B * T,
      batch: () => batchAt({ sources, seed, tokenOffset: step * B * T, batchSize: B, seqLen: T }),
      learningRate: optimizer.peakLearningRate * Math.min(1, (step + 1) / optimizer.warmupSteps),
      optimizer,
    });
    curve.push(loss);
  }
  model.free();
  return curve;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
/** Standard deviation of a sample. */
function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

console.log(`${cpuExecutor().instructionPath}; ${config.numLayers} layers, d ${config.residualDim}, B ${B}, T ${T}; ${text.length} bytes of text; seeds ${seeds.join(", ")}`);
const curves: { fp32: number[]; bf16: number[] }[] = [];
for (const seed of seeds) curves.push({ fp32: await losses("fp32", seed), bf16: await losses("bf16", seed) });

console.log("steps        fp32    bf16    bf16 - fp32, mean [of each seed]            spread of fp32 over seeds");
let difference = 0;
let noise = 0;
for (let i = 0; i < STRETCHES; i++) {
  const [begin, end] = [Math.floor((steps * i) / STRETCHES), Math.floor((steps * (i + 1)) / STRETCHES)];
  const of = (precision: "fp32" | "bf16") => curves.map((curve) => mean(curve[precision].slice(begin, end)));
  const [fp32, bf16] = [of("fp32"), of("bf16")];
  const differences = bf16.map((loss, seed) => loss - fp32[seed]!);
  difference = mean(differences);
  noise = deviation(fp32);
  const each = differences.map((value) => value.toFixed(4)).join(", ");
  console.log(`${`${begin + 1}-${end}`.padEnd(10)} ${mean(fp32).toFixed(4)}  ${mean(bf16).toFixed(4)}  ${difference.toFixed(4).padStart(7)} [${each}]`.padEnd(72) + noise.toFixed(4));
}
const within = Math.abs(difference) <= noise;
console.log(`bar: at the end bf16 differs by ${difference.toFixed(4)} nats per byte, expected at most ${noise.toFixed(4)}: ${within ? "ok" : "SHORT"}`);
if (!within) process.exitCode = 1;
