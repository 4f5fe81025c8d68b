/**
 * Prints the training plan of a GPT-2 shape, for the bars of a GPU:
 * `node --conditions=@espalier/source infra/gpu/gpt2Plan.ts 124M --steps 200 --batch 32 > plan.json`
 */
import { parseArgs } from "node:util";
import { modelConfig } from "../../packages/spec/src/model/index.ts";
import { parseTrainPlan } from "../../packages/spec/src/plan/index.ts";

/** Layers, width, heads: Radford et al. 2019, table 2; the vocabulary of 50257 up to a multiple of 128. */
const shapes = { "124M": [12, 768, 12], "355M": [24, 1024, 16], "774M": [36, 1280, 20], "1558M": [48, 1600, 25] } as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: "string", default: "200" },
    batch: { type: "string", default: "32" },
    tokens: { type: "string", default: "1024" },
    precision: { type: "string", default: "bf16" },
  },
});
const name = positionals[0] ?? "124M";
if (!Object.hasOwn(shapes, name)) {
  process.stderr.write(`gpt2Plan: found ${name}, expected one of ${Object.keys(shapes).join(", ")}. Correct the name.\n`);
  process.exit(2);
}
const [numLayers, residualDim, numKvHeads] = shapes[name as keyof typeof shapes];
const [steps, microBatchSize, seqLen] = [Number(values.steps), Number(values.batch), Number(values.tokens)];
const plan = parseTrainPlan({
  name: `gpt2-${name}`,
  seed: 1,
  precision: values.precision,
  microBatchSize,
  gradAccumSteps: 1,
  validateEvery: steps,
  validationSequences: microBatchSize,
  checkpointEvery: steps,
  optimizer: { peakLearningRate: 6e-4, warmupSteps: Math.ceil(steps / 4) },
  stages: [
    {
      name: "gpt2",
      model: modelConfig({ family: "flm", vocabSize: 50304, seqLen, numLayers, residualDim, numKvHeads, position: { kind: "learned" } }),
      tokens: steps * microBatchSize * seqLen,
    },
  ],
});
process.stdout.write(`${JSON.stringify(plan, null, 1)}\n`);
