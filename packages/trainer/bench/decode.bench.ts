/**
 * Tokens a second of greedy decoding, beside what reading the weights once a step allows on this machine.
 *
 *     node --conditions=@espalier/source bench/decode.bench.ts [threads = 1,2] [sequences = 1,4,8]
 *
 * Random weights of d12/768 with 50,304 words (124M parameters, fp32). Every sequence has a prompt of 16 tokens of its own
 * and writes 24; the first of them, which pays for the prompt, is not timed. GB/s: bytes of all weights that a step reads, times steps a second.
 */
import { performance } from "node:perf_hooks";
import { random } from "@espalier/core";
import { cpuExecutor } from "@espalier/kernels";
import { modelConfig } from "@espalier/spec/model";
import { decode } from "../src/decode.ts";
import { DeviceModel } from "../src/deviceModel.ts";
import { RowEngine } from "../src/inference/rowEngine.ts";
import { initialParameters } from "../src/initialise.ts";
import { Rival } from "./bars/rival.ts";
import { median } from "./bars/statistics.ts";

const [threadCounts, batchSizes] = [process.argv[2] ?? "1,2", process.argv[3] ?? "1,4,8"].map((list) => list.split(",").map(Number)) as [number[], number[]];
const [PROMPT, WRITTEN] = [16, 24];
const config = modelConfig({ family: "flm", numLayers: 12, residualDim: 768, numKvHeads: 12, headDim: 64, vocabSize: 50304, seqLen: 64 });
const parameters = initialParameters(config, 1);
const weightBytes = Object.values(parameters).reduce((sum, { byteLength }) => sum + byteLength, 0);
const machine = Rival.compiled("machine", [], "g++ is not installed, so there is no rate of reading to compare with");
const stream = random(1, "decode bench");

for (const numThreads of threadCounts) {
  const model = new DeviceModel(cpuExecutor({ numThreads }), { config, parameters });
  const engine = new RowEngine(model);
  for (const count of batchSizes) {
    const ratios: number[] = [];
    const rates: number[] = [];
    for (let round = -1; round < 3; round++) {
      const bandwidth = machine.absent ? NaN : median(await machine.ask(`read ${numThreads} 0.2`));
      const times: number[] = [];
      const prompts = Array.from({ length: count }, (_, i) => Array.from({ length: PROMPT }, (_, n) => stream.integer(1000 * i + n, config.vocabSize)));
      await decode(
        engine,
        prompts.map((prompt) => ({ prompt, maxTokens: WRITTEN, temperature: 0, uniform: () => 0, onToken: () => (times.push(performance.now()), false) })),
        new Uint8Array(config.vocabSize).fill(1),
      );
      const stepsPerSecond = (1e3 * (WRITTEN - 1)) / (times.at(-1)! - times[count - 1]!);
      if (round < 0) continue; // compiles programs
      rates.push(stepsPerSecond);
      ratios.push((stepsPerSecond * weightBytes) / 1e9 / bandwidth);
    }
    const rate = median(rates);
    console.log(`${numThreads}T, ${count} sequences: ${(rate * count).toFixed(1)} tokens/s, weights at ${((rate * weightBytes) / 1e9).toFixed(1)} GB/s, ${(100 * median(ratios)).toFixed(0)} % of the rate of reading`);
  }
  model.free();
}
machine.close();
