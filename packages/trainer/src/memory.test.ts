import { rmSync } from "node:fs";
import { Outputs, type Program, RuntimeInputs } from "@espalier/graph";
import { firstBirths } from "@espalier/growth";
import { modelConfig, type ModelShape } from "@espalier/spec/model";
import { parseTrainPlan } from "@espalier/spec/plan";
import { afterAll, describe, expect, it } from "vitest";
import { initialParameters } from "./initialise.ts";
import { microStepWithin, trainingMemory } from "./memory.ts";
import { microStepProgram, owned } from "./programs.ts";
import { testedExecutors } from "./testing/executors.ts";
import { temporaryDirectory, tinyData, tinyPlan } from "./testing/runs.ts";
import { train } from "./train.ts";

const optimizer = { peakLearningRate: 1e-3, finalShare: 0.1, warmupSteps: 0, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 };
const shape = { B: 3, T: 16 };
const base = { vocabSize: 40, seqLen: 16, numLayers: 3, residualDim: 24, initStd: 0.2 } as const;
const models: Record<string, ModelShape> = {
  flm: { ...base, family: "flm", numKvHeads: 3, position: { kind: "xpos", centre: 8 } },
  "flm in parallel": { ...base, family: "flm", numKvHeads: 3, parallelResidual: true },
  llama: { ...base, family: "llama", numKvHeads: 2, groupSize: 2, headDim: 6, tiedHead: false },
};
const directory = temporaryDirectory();
afterAll(() => rmSync(directory, { recursive: true }));

describe.each(testedExecutors())("a micro-step within a limit on $name", ({ make }) => {
  it.each(Object.entries(models))("has the loss and gradients of one without, to the last bit: %s", async (_, modelShape) => {
    const config = modelConfig(modelShape);
    const executor = make();
    const parameters = initialParameters(config, 2);
    const gradients = async (program: Program) => {
      const loaded = executor.load(program);
      const buffers = new Map(
        program.tensors.filter(({ region }) => region === "owned").map(({ name, bytes }) => {
          const buffer = executor.allocate(bytes);
          buffer.write(parameters[name] ?? new Float32Array(bytes / 4));
          loaded.bind(name, buffer);
          return [name, { buffer, bytes }];
        }),
      );
      const [inputs, outputs] = [new RuntimeInputs(program), new Outputs(program)];
      const size = shape.B * shape.T;
      inputs.set("tokens", Int32Array.from({ length: size }, (_, i) => (i * 7) % 40)).set("weights", 1 / size).set("accumulateFlag", 0);
      inputs.set("targets", Int32Array.from({ length: size }, (_, i) => (i * 11 + 3) % 40));
      await loaded.run(inputs.bytes, outputs.bytes);
      const values = Object.keys(parameters).map((name) => {
        const { buffer, bytes } = buffers.get(owned.gradient(name))!;
        const read = new Float32Array(bytes / 4);
        buffer.read(read);
        return [name, read];
      });
      return { loss: outputs.number("loss"), values };
    };
    const plain = microStepProgram(config, shape);
    const options = { births: firstBirths(config), gates: [], optimizer };
    const free = microStepWithin(config, shape, { ...options, limitBytes: Infinity });
    expect(free.program).toEqual(plain);
    const within = microStepWithin(config, shape, { ...options, limitBytes: 1 });
    expect(within.recomputed.length).toBeGreaterThan(1);
    expect(within.program.arenaBytes).toBeLessThan(0.7 * plain.arenaBytes);
    const expected = await gradients(plain);
    expect(expected.loss).toBeGreaterThan(1);
    expect(await gradients(within.program)).toEqual(expected);
  });
});

describe("trainingMemory", () => {
  const plan = parseTrainPlan(tinyPlan());
  const free = trainingMemory(plan);

  it("says what every stage holds, gates included", () => {
    expect(free.map(({ stage }) => stage)).toEqual(plan.stages.map(({ name }) => name));
    expect(free.every(({ recomputedLayers, extraFlops }) => recomputedLayers === 0 && extraFlops === 0)).toBe(true);
  });

  it("refuses a plan before it runs, naming stage, limit, bytes and what to change", async () => {
    const limited = { ...plan, memoryLimitBytes: 1000 };
    const sentence = /train plan: memoryLimitBytes: stage ".*" needs \d+ bytes with \d+ layers computed again \(\d+ without\), expected at most 1000\. Lower microBatchSize from \d+/;
    expect(() => trainingMemory(limited)).toThrow(sentence);
    await expect(train({ plan: limited, data: tinyData(), directory, executor: testedExecutors()[0]!.make() })).rejects.toThrow(sentence);
  });

  it("trains to the same weights within a limit", async () => {
    const executor = testedExecutors().at(-1)!.make();
    const { seqLen: _, ...first } = plan.stages[0]!.model;
    const single = { ...plan, stages: [{ ...plan.stages[0]!, model: { ...first, seqLen: 16, numLayers: 3 }, tokens: 16 * plan.microBatchSize * 6 }] };
    const limit = trainingMemory(single, executor)[0]!.peakBytes - 64;
    const [memory] = trainingMemory({ ...single, memoryLimitBytes: limit }, executor);
    expect(memory!.peakBytes).toBeLessThanOrEqual(limit);
    expect(memory!.recomputedLayers).toBeGreaterThan(0);
    expect(memory!.extraFlops).toBeGreaterThan(0);
    const data = tinyData();
    const [a, b] = [`${directory}/free`, `${directory}/limited`];
    const whole = await train({ plan: single, data, directory: a, executor });
    const within = await train({ plan: { ...single, memoryLimitBytes: limit }, data, directory: b, executor });
    expect(within.stages.map(({ validationLoss }) => validationLoss)).toEqual(whole.stages.map(({ validationLoss }) => validationLoss));
  });
});
