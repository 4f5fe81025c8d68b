/**
 * Run as a process of its own: one stage trained on the emulated CUDA executor, which writes its allocations to the file of
 * ESPALIER_EMULATION_TRACE. Prints what the stage is planned to take. Arguments: precision, directory of the run, and 1 for a
 * limit that makes a layer be computed again. `../deviceMemory.test.ts`.
 */
import { cudaExecutor, emulatedCuda } from "@espalier/kernels";
import { parseTrainPlan, type Precision } from "@espalier/spec/plan";
import { trainingMemory } from "../memory.ts";
import { train } from "../train.ts";
import { tinyData, tinyModel, tinyPlan } from "./runs.ts";

const [precision, directory, limited] = process.argv.slice(2) as [Precision, string, string];
const model = tinyModel({ seqLen: 32, numLayers: 3, residualDim: 64, numKvHeads: 1, headDim: 64 });
const B = 4;
const free = parseTrainPlan({ ...tinyPlan(), precision, microBatchSize: B, stages: [{ name: "only", model, tokens: B * 32 * 2 * 2 }] });
const executor = cudaExecutor({ libraryPath: emulatedCuda(), precision });
const [whole] = trainingMemory(free, executor);
const plan = limited === "1" ? { ...free, memoryLimitBytes: whole!.peakBytes - 64 } : free;
const [memory] = trainingMemory(plan, executor);
const { validationLoss } = await train({ plan, data: tinyData(), directory, executor });
console.log(JSON.stringify({ planned: memory!.peakBytes, recomputedLayers: memory!.recomputedLayers, validationLoss }));
