import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { CancelledError, ConfigError, DeviceError } from "@espalier/core";
import type { GraphNode, PlacedTensor, Program, Region } from "@espalier/graph";
import { afterEach, describe, expect, it } from "vitest";
import { availableBackends } from "./availableBackends.ts";
import { cpuExecutor } from "./cpuExecutor.ts";
import { nativeStatus } from "./nativeStatus.ts";

/** A program written out by hand: tensors of region, name and shape, each region packed at multiples of 64 bytes. */
function programOf(tensors: [region: Region, name: string, ...shape: number[]][], instructions: GraphNode[]): Program {
  const used = { arena: 0, owned: 0, runtime: 0, output: 0 };
  const placed = tensors.map(([region, name, ...shape], id): PlacedTensor => {
    const bytes = 4 * shape.reduce((a, b) => a * b, 1);
    const offset = region === "owned" ? 0 : used[region];
    used[region] += Math.ceil(bytes / 64) * 64;
    return { id, shape, dtype: "f32", region, name, offset, bytes };
  });
  return { tensors: placed, instructions, arenaBytes: used.arena, runtimeBytes: used.runtime, outputBytes: used.output };
}

const scale = (input: number, output: number, factor: number): GraphNode => ({ op: "scale", inputs: [input], outputs: [output], attributes: { factor } });
/** The same program with a tensor of numbers of rows. */
const withIds = (program: Program, name: string): Program => ({ ...program, tensors: program.tensors.map((tensor) => (tensor.name === name ? { ...tensor, dtype: "i32" } : tensor)) });
const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer);

/** y = 6 x through an intermediate, 16 elements. */
const sixfold = programOf(
  [["runtime", "x", 16], ["arena", "t", 16], ["output", "y", 16]],
  [scale(0, 1, 2), scale(1, 2, 3)],
);

/** Some hundred matrix products of 256^3: a tenth of a second at least. */
const long = programOf(
  [["owned", "a", 256, 256], ["arena", "b", 256, 256]],
  Array.from({ length: 400 }, () => ({
    op: "matmul",
    inputs: [0, 0],
    outputs: [1],
    attributes: { transA: 0, transB: 0, alpha: 1, accumulate: 0, bias: 0, gelu: 0, gate: 0, residual: 0, savePre: 0 },
  })),
);
const nothing = new Uint8Array(0);

describe.each(availableBackends().filter(({ name }) => name !== "reference"))("run on $name", ({ name, create }) => {
  const executor = create({ numThreads: 2 });

  it("names its instruction path and threads", () => {
    expect(`${executor.name} ${executor.instructionPath}`).toBe(name);
    expect(executor.numThreads).toBe(name.startsWith("cpu") ? 2 : 1);
  });

  it("replays with changed runtime inputs", async () => {
    const program = executor.load(sixfold);
    const y = new Float32Array(16);
    for (const x of [1, -2, 5]) {
      await program.run(bytesOf(new Float32Array(16).fill(x)), bytesOf(y));
      expect([...y]).toEqual(Array.from({ length: 16 }, () => 6 * x));
    }
    expect(program.profile()).toMatchObject([{ op: "scale", calls: 6 }]);
  });

  it("takes the runtime inputs as they are when it is called, and runs in the order of the calls", async () => {
    const program = executor.load(sixfold);
    const x = new Float32Array(16).fill(1);
    const outputs = [new Float32Array(16), new Float32Array(16)];
    const first = program.run(bytesOf(x), bytesOf(outputs[0]!));
    x.fill(2);
    const second = program.run(bytesOf(x), bytesOf(outputs[1]!));
    x.fill(3);
    await Promise.all([first, second]);
    expect(outputs.map((y) => y[0])).toEqual([6, 12]);
  });

  it("reads an intermediate of the last run, and refuses when another program has run since", async () => {
    const program = executor.load(sixfold);
    await program.run(bytesOf(new Float32Array(16).fill(4)), bytesOf(new Float32Array(16)));
    expect(program.readTensor("t")[15]).toBe(8);
    await executor.load(sixfold).run(bytesOf(new Float32Array(16)), bytesOf(new Float32Array(16)));
    expect(() => program.readTensor("t")).toThrow(/another program has used the arena/);
  });

  it("keeps bound values across runs, and updates them in place", async () => {
    const program = executor.load(programOf([["owned", "w", 16]], [scale(0, 0, 2)]));
    const buffer = executor.allocate(64);
    buffer.write(new Float32Array(16).fill(1.5));
    program.bind("w", buffer);
    await program.run(nothing, nothing);
    await program.run(nothing, nothing);
    const w = new Float32Array(2);
    buffer.read(w, 56);
    expect([...w]).toEqual([6, 6]);
  });

  it("binds the views of an owned tensor with it", async () => {
    const program = programOf([["owned", "w", 4, 4], ["arena", "flat", 16], ["output", "y", 16]], [scale(1, 2, 3)]);
    (program.tensors[1] as { viewOf: number }).viewOf = 0;
    const loaded = executor.load(program);
    const buffer = executor.allocate(64);
    buffer.write(Float32Array.from({ length: 16 }, (_, i) => i));
    loaded.bind("w", buffer);
    const y = new Float32Array(16);
    await loaded.run(nothing, bytesOf(y));
    expect(y[7]).toBe(21);
  });
});

describe("cancel", () => {
  it("ends the run under way and those that wait with a CancelledError, and later runs work", async () => {
    const executor = cpuExecutor({ numThreads: 2 });
    const program = executor.load(long);
    program.bind("a", executor.allocate(4 * 256 * 256));
    const runs = [program.run(nothing, nothing), program.run(nothing, nothing)];
    const ended = Promise.allSettled(runs);
    await new Promise((resolve) => setTimeout(resolve, 2));
    program.cancel();
    for (const run of await ended) {
      expect(run.status).toBe("rejected");
      expect((run as PromiseRejectedResult).reason).toBeInstanceOf(CancelledError);
    }
    const before = program.profile()[0]!.calls;
    await program.run(nothing, nothing);
    expect(program.profile()[0]!.calls - before).toBe(400);
  });

  it("happens by itself when the process exits during a run", () => {
    const script = `
      import { cpuExecutor } from ${JSON.stringify(join(import.meta.dirname, "index.ts"))};
      const executor = cpuExecutor({ numThreads: 3 });
      const program = executor.load(${JSON.stringify(long)});
      program.bind("a", executor.allocate(${4 * 256 * 256}));
      for (let i = 0; i < 1000; i++) program.run(new Uint8Array(0), new Uint8Array(0)).catch(() => {});
      setTimeout(() => process.exit(7), 20);`;
    const { status, stderr } = spawnSync(process.execPath, ["--conditions=@espalier/source", "--input-type=module", "-e", script], {
      encoding: "utf8",
      cwd: join(import.meta.dirname, ".."),
      timeout: 20_000,
    });
    expect(stderr).toBe("");
    expect(status).toBe(7);
  });
});

describe("in a worker", () => {
  it("runs, and a worker that is terminated during a run takes its threads with it", { timeout: 20_000 }, async () => {
    const script = `
      import { parentPort, workerData } from "node:worker_threads";
      import { cpuExecutor } from ${JSON.stringify(new URL("index.ts", import.meta.url).href)};
      const executor = cpuExecutor({ numThreads: 2 });
      const program = executor.load(workerData);
      program.bind("a", executor.allocate(${4 * 256 * 256}));
      await program.run(new Uint8Array(0), new Uint8Array(0));
      parentPort.postMessage(program.profile()[0].calls);
      for (let i = 0; i < 1000; i++) program.run(new Uint8Array(0), new Uint8Array(0)).catch(() => {});`;
    for (let round = 0; round < 3; round++) {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), {
        execArgv: ["--conditions=@espalier/source"],
        workerData: long,
      });
      const calls = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
      expect(calls).toBe(400);
      await worker.terminate();
    }
  });
});

describe("kernel threads", () => {
  it("treat denormals as zero, whichever thread has the task", async () => {
    const count = 1 << 18;
    const program = programOf([["runtime", "x", count], ["output", "y", count]], [scale(0, 1, 1e-20)]);
    const y = new Float32Array(count);
    const loaded = cpuExecutor({ numThreads: 3, parallelGrain: 0 }).load(program);
    await loaded.run(bytesOf(new Float32Array(count).fill(1e-20)), bytesOf(y));
    expect(y.every((value) => value === 0)).toBe(true);
  });
});

describe("load", () => {
  const executor = cpuExecutor({ numThreads: 1 });

  it("refuses an op that the registry lacks, naming op and instruction", () => {
    const program = programOf([["runtime", "x", 4], ["output", "y", 4]], [scale(0, 1, 2), { ...scale(0, 1, 2), op: "transmogrify" }]);
    expect(() => executor.load(program)).toThrow(DeviceError);
    expect(() => executor.load(program)).toThrow(/instruction 1 \(transmogrify\).*not in the native registry/);
  });

  it("refuses missing and unknown attributes by name", () => {
    const withAttributes = (attributes: Record<string, number>) =>
      programOf([["runtime", "x", 4], ["output", "y", 4]], [{ ...scale(0, 1, 2), attributes }]);
    expect(() => executor.load(withAttributes({}))).toThrow(/scale: attribute "factor" is missing/);
    expect(() => executor.load(withAttributes({ factor: 1, colour: 2 }))).toThrow(/scale: attribute "colour" is unknown, expected factor/);
  });

  it("refuses tensors that lie outside their region or do not exist", () => {
    expect(() => executor.load({ ...sixfold, arenaBytes: 0 })).toThrow(/tensor 1: its place is not/);
    expect(() => executor.load(programOf([["runtime", "x", 4]], [scale(0, 9, 1)]))).toThrow(/there is no tensor -1/);
  });
});

describe("consecutive calls of one op", () => {
  const size = 70_000; // several tasks a call
  const vectors = (...names: string[]): [Region, string, number][] => names.map((name) => ["owned", name, size]);

  it.each([1, 2, 5])("see what earlier ones wrote, whoever runs them: %i threads", async (numThreads) => {
    const executor = cpuExecutor({ numThreads, parallelGrain: 0 });
    // Three apart from each other, one that reads the first, one in place, one that overwrites what another has read.
    const calls = [scale(0, 1, 2), scale(0, 2, 3), scale(0, 3, 5), scale(1, 4, 7), scale(4, 4, 2), scale(2, 3, 11), scale(3, 1, 13)];
    const program = executor.load(programOf(vectors("x", "a", "b", "c", "d"), calls));
    const buffers = program.program.tensors.map(({ name, bytes }) => {
      const buffer = executor.allocate(bytes);
      program.bind(name, buffer);
      return buffer;
    });
    for (let run = 1; run <= 20; run++) {
      buffers[0]!.write(Float32Array.from({ length: size }, (_, i) => (i % 97) + run));
      await program.run(nothing, nothing);
      const values = buffers.map((buffer) => {
        const read = new Float32Array(size);
        buffer.read(read);
        return read;
      });
      const x = values[0]!;
      [3 * 11 * 13, 3, 3 * 11, 2 * 7 * 2].forEach((factor, k) => expect(values[k + 1]!.every((value, i) => value === factor * x[i]!)).toBe(true));
    }
    expect(program.profile()).toMatchObject([{ op: "scale", calls: 20 * calls.length }]);
    // Other buffers, one of them twice: what may run together is decided anew.
    program.bind("b", buffers[1]!);
    await program.run(nothing, nothing);
    const d = new Float32Array(size);
    buffers[4]!.read(d);
    expect(d[5]).toBe(3 * 7 * 2 * 25); // a is b now, and was written last before d
  });
});

describe("consecutive small calls of several ops", () => {
  const product = (a: number, b: number, y: number): GraphNode => ({ ...long.instructions[0]!, inputs: [a, b], outputs: [y] });
  const columnSum = (x: number, y: number): GraphNode => ({ op: "columnSum", inputs: [x], outputs: [y], attributes: { accumulate: 0 } });
  const tensors: [Region, string, ...number[]][] = [
    ["owned", "x", 300, 64], ["owned", "w", 64, 128], ["owned", "v", 64, 80], ["owned", "square", 600, 600],
    ["owned", "squared", 600, 600], ["owned", "xw", 300, 128], ["owned", "xv", 300, 80], ["owned", "twice", 300, 64],
    ["owned", "sums", 64], ["owned", "again", 300, 128], ["owned", "thrice", 300, 128], ["owned", "last", 128],
  ];
  // The square takes the most scratch memory, so that there is room for several of the others. Those from 1 on are apart from
  // each other; 6 reads what 1 has written, 7 overwrites it, 8 reads what 6 has written.
  const calls = [
    product(3, 3, 4), product(0, 1, 5), product(0, 2, 6), scale(0, 7, 2), columnSum(0, 8), product(0, 1, 9),
    scale(5, 10, 3), product(0, 1, 5), columnSum(10, 11),
  ];

  async function valuesWith(numThreads: number): Promise<Float32Array[]> {
    const executor = cpuExecutor({ numThreads, parallelGrain: 0 });
    const program = executor.load(programOf(tensors, calls));
    const buffers = program.program.tensors.map(({ name, bytes }, id) => {
      const buffer = executor.allocate(bytes);
      buffer.write(Float32Array.from({ length: bytes / 4 }, (_, i) => (id < 4 ? Math.sin(i + id) : NaN)));
      program.bind(name, buffer);
      return { buffer, length: bytes / 4 };
    });
    for (let run = 0; run < 30; run++) await program.run(nothing, nothing);
    expect(program.profile().reduce((sum, row) => sum + row.calls, 0)).toBe(30 * calls.length);
    return buffers.map(({ buffer, length }) => {
      const values = new Float32Array(length);
      buffer.read(values);
      return values;
    });
  }

  it("give the bits that one thread gives, one call after the other", async () => {
    const alone = await valuesWith(1);
    const [x, xw, twice, sums, thrice, last] = [0, 5, 7, 8, 10, 11].map((id) => alone[id]!) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
    expect(twice[77]).toBe(2 * x[77]!);
    expect(thrice[1234]).toBe(Math.fround(3 * xw[1234]!));
    const column = (values: Float32Array, width: number) => values.reduce((sum, value, i) => (i % width === 5 ? sum + value : sum), 0);
    expect(sums[5]).toBeCloseTo(column(x, 64), 3);
    expect(last[5]).toBeCloseTo(column(thrice, 128), 2);
    for (const numThreads of [2, 5]) expect(await valuesWith(numThreads)).toEqual(alone);
  });
});

describe("updates that a run leaves to be done beside the next runs", () => {
  const names = ["a", "b", "c", "d"];
  const size = 1_000_000; // half a millisecond of AdamW each
  const table = [1000, 1000]; // its tasks are some rows each
  const digestOf = (values: Float32Array) => createHash("sha256").update(values).digest("hex");
  const owned = (...kinds: string[]): [Region, string, ...number[]][] => kinds.flatMap((kind) => names.map((name): [Region, string, ...number[]] => ["owned", kind + name, ...table]));
  const adamw = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, rateScale: 1 };
  const update = programOf(
    [...owned("p", "m", "v", "g"), ["runtime", "step", 2], ["runtime", "births", 1, 3], ["output", "norm", 1]],
    [
      { op: "gradNorm", inputs: [12, 13, 14, 15], outputs: [18], attributes: {} },
      ...names.map((_, i) => ({ op: "adamw", inputs: [12 + i, 18, 16, 17], outputs: [i, 4 + i, 8 + i], attributes: adamw })),
    ],
  );
  // Reads every parameter, the last one first, and overwrites the gradients that the update still reads.
  // Its last call writes an output, so that nothing of it is left.
  const next = programOf([...owned("p", "g"), ["output", "y", ...table]], [...[3, 0, 1, 2].map((i) => scale(i, 4 + i, 0.5)), scale(0, 8, 2)]);
  const y = new Uint8Array(next.outputBytes);
  // Reads rows of each parameter, the last one first, before it reads the whole of one: numbers 0 and 999, neighbours, one twice,
  // and two that are none of a row, for which not-a-number is the answer.
  const numbers = [0, 999, 17, 16, 15, 500, 17, -1, 1000, 333];
  const lookup = withIds(programOf(
    [...owned("p"), ["runtime", "ids", numbers.length], ...names.map((name): [Region, string, ...number[]] => ["output", `y${name}`, numbers.length, 1000]), ["output", "whole", ...table]],
    [...[3, 2, 1, 0].map((i) => ({ op: "embedding", inputs: [4, i], outputs: [5 + i], attributes: { factor: 1 } })), scale(3, 9, 2)],
  ), "ids");

  /** Parameters and their updates on an executor of their own. */
  function trained(numThreads: number) {
    const executor = cpuExecutor({ numThreads, parallelGrain: 0 });
    const [updates, nexts, lookups, others] = [executor.load(update), executor.load(next), executor.load(lookup), cpuExecutor({ numThreads: 2, parallelGrain: 0 }).load(next)];
    const buffers = new Map(owned("p", "m", "v", "g").map(([, name], k) => {
      const buffer = executor.allocate(4 * size);
      buffer.write(Float32Array.from({ length: size }, (_, i) => ((i + k) % 31) / 31 + 0.1));
      return [name, buffer] as const;
    }));
    for (const program of [updates, nexts, lookups, others]) {
      for (const { name, region } of program.program.tensors) if (region === "owned") program.bind(name, buffers.get(name)!);
    }
    const inputs = new Float32Array(update.runtimeBytes / 4);
    inputs.set([0.1, 0.1, 0.5], 16); // births, behind the 64 bytes of step
    const norm = new Float32Array(update.outputBytes / 4);
    const ids = new Uint8Array(lookup.runtimeBytes);
    new Int32Array(ids.buffer).set(numbers);
    return {
      updates, buffers,
      update: async (rate: number) => {
        inputs.set([rate, 1]);
        await updates.run(bytesOf(inputs), bytesOf(norm));
        return norm[0]!;
      },
      // Both are in the queue at once, so that the second finds all of the updates left.
      updateAndNext: async (rate: number) => {
        inputs.set([rate, 1]);
        await Promise.all([updates.run(bytesOf(inputs), bytesOf(norm)), nexts.run(nothing, y)]);
      },
      updateAndLookUp: async (rate: number) => {
        inputs.set([rate, 1]);
        const found = new Uint8Array(lookup.outputBytes);
        await Promise.all([updates.run(bytesOf(inputs), bytesOf(norm)), lookups.run(ids, found)]);
        return new Float32Array(found.buffer);
      },
      nextElsewhere: () => others.run(nothing, y),
      write: (name: string, value: number) => buffers.get(name)!.write(new Float32Array(size).fill(value)),
      read: (name: string) => {
        const values = new Float32Array(size);
        buffers.get(name)!.read(values);
        return values;
      },
    };
  }
  type Trained = ReturnType<typeof trained>;

  // With one thread nothing is left: the same calls then must give the same bits.
  it.each([2, 3, 5])("are done before anybody can tell: %i threads", async (numThreads) => {
    const [alone, shared] = [trained(1), trained(numThreads)];
    const expectSame = async (...steps: ((of: Trained) => unknown)[]) => {
      const answers: unknown[][] = [];
      for (const of of [alone, shared]) {
        const row: unknown[] = [];
        for (const step of steps) row.push(await step(of)); // nothing in between that would give the updates time
        answers.push(row.map((answer) => (answer instanceof Float32Array ? digestOf(answer) : answer)));
      }
      expect(answers[1]).toEqual(answers[0]);
    };
    for (let round = 1; round <= 5; round++) {
      const rate = 0.01 * round;
      await expectSame(({ update }) => update(rate), ({ read }) => read("pd"), ({ read }) => read("va")); // by a reader
      await expectSame(({ updateAndNext }) => updateAndNext(rate), ({ read }) => read("gd"), ({ read }) => read("pa")); // by another program
      await expectSame(({ updateAndLookUp }) => updateAndLookUp(rate), ({ read }) => read("pc")); // by one that reads some rows
      await expectSame(({ update }) => update(rate), ({ update }) => update(2 * rate), ({ read }) => read("md")); // by itself
      await expectSame(({ update }) => update(rate), ({ write }) => write("gd", round), ({ read }) => read("pd")); // by a writer of what they read
      await expectSame(({ update }) => update(rate), ({ nextElsewhere }) => nextElsewhere(), ({ read }) => read("gd")); // by another executor
    }
    for (const name of shared.buffers.keys()) await expectSame(({ read }) => read(name));
    const calls = (of: Trained) => of.updates.profile().map(({ op, calls }) => [op, calls]).sort();
    await expectSame(({ update }) => update(1), calls);
  });

  it("are done before their program is freed, and keep the memory of freed buffers", async () => {
    const [alone, shared] = [trained(1), trained(2)];
    for (const each of [alone, shared]) {
      await each.update(0.1);
      each.buffers.get("vd")!.free();
      each.updates.free();
    }
    for (const name of ["pa", "pd", "md"]) expect(digestOf(shared.read(name))).toBe(digestOf(alone.read(name)));
  });
});

describe("scratchBytes", () => {
  it("is what the largest op needs: here a matrix packed in 43 tiles of 6 rows, padded to 8", () => {
    const executor = cpuExecutor({ numThreads: 1, isa: "portable" });
    expect(executor.load(long).scratchBytes).toBe(4 * 43 * 8 * 256);
    expect(executor.load(sixfold).scratchBytes).toBe(0);
  });

  it("counts what each thread has to itself", () => {
    const [R, C, V] = [64, 32, 512];
    const shapes = { x: [R, C], head: [V, C], targets: [R], weights: [R], loss: [1], tokenLoss: [R], greedy: [R], lse: [R] };
    const tensors = Object.entries(shapes).map(([name, shape], id) => ({
      id, name, shape, dtype: name === "targets" || name === "greedy" ? ("i32" as const) : ("f32" as const), region: "owned" as const, offset: 0, bytes: 4 * shape.reduce((a, b) => a * b, 1),
    }));
    const instructions = [{ op: "linearCrossEntropy", inputs: [0, 1, 2, 3], outputs: [4, 5, 6, 7], attributes: { factor: 1 } }];
    const bytes = (numThreads: number) => cpuExecutor({ numThreads, isa: "portable" }).load({ tensors, instructions, arenaBytes: 0, runtimeBytes: 0, outputBytes: 0 }).scratchBytes;
    const perThread = bytes(2) - bytes(1);
    expect(perThread).toBeGreaterThan(4 * R * V / 8); // the logits of a run of words
    expect(bytes(4) - bytes(2)).toBe(2 * perThread);
  });
});

describe("bind and run", () => {
  const executor = cpuExecutor({ numThreads: 1 });
  const doubling = programOf([["owned", "w", 16]], [scale(0, 0, 2)]);

  it("refuse a run before everything is bound, naming what is not", async () => {
    await expect(executor.load(doubling).run(nothing, nothing)).rejects.toThrow(/not bound: w/);
  });

  it("refuse unknown names, wrong sizes, freed buffers and buffers of another executor", () => {
    const program = executor.load(doubling);
    expect(() => program.bind("v", executor.allocate(64))).toThrow(/no owned tensor "v", expected one of w/);
    expect(() => program.bind("w", executor.allocate(128))).toThrow(/has 128 bytes, expected 64/);
    const freed = executor.allocate(64);
    freed.free();
    expect(() => program.bind("w", freed)).toThrow(/has been freed/);
    const [reference] = availableBackends();
    expect(() => program.bind("w", reference!.create().allocate(64))).toThrow(/of another executor/);
  });

  it("refuse runtime inputs of the wrong length", async () => {
    await expect(executor.load(sixfold).run(nothing, new Uint8Array(64))).rejects.toThrow(/have 0 and 64 bytes, expected 64 and 64/);
  });

  it("keep a freed buffer alive while a program is bound to it, and refuse a freed program", async () => {
    const program = executor.load(doubling);
    const buffer = executor.allocate(64);
    program.bind("w", buffer);
    buffer.free();
    await program.run(nothing, nothing);
    const running = program.run(nothing, nothing);
    program.free();
    await running;
    await expect(program.run(nothing, nothing)).rejects.toThrow(/has been freed/);
  });
});

describe("DeviceBuffer", () => {
  it("starts as zeros, copies any view, and refuses what lies outside", () => {
    const buffer = cpuExecutor({ numThreads: 1 }).allocate(2 << 20); // large enough for a mapping of its own
    const end = new Float64Array([1]);
    buffer.read(end, (2 << 20) - 8);
    expect(end[0]).toBe(0);
    buffer.write(new DataView(new Uint8Array([0, 0, 1, 2, 3, 4]).buffer, 2), 4);
    const bytes = new Uint8Array(4);
    buffer.read(bytes, 4);
    expect([...bytes]).toEqual([1, 2, 3, 4]);
    expect(() => buffer.write(new Uint8Array(8), (2 << 20) - 4)).toThrow(DeviceError);
    expect(() => buffer.read(bytes, -1)).toThrow(DeviceError);
  });
});

describe("cpuExecutor", () => {
  afterEach(() => {
    delete process.env.ESPALIER_ISA;
  });

  it("takes the path that ESPALIER_ISA forces", () => {
    process.env.ESPALIER_ISA = "portable";
    expect(cpuExecutor().instructionPath).toBe("portable");
    process.env.ESPALIER_ISA = "sse9";
    expect(() => cpuExecutor()).toThrow(ConfigError);
  });

  it("refuses impossible thread counts", () => {
    expect(() => cpuExecutor({ numThreads: 0 })).toThrow(ConfigError);
    expect(() => cpuExecutor({ numThreads: 1.5 })).toThrow(ConfigError);
  });
});

describe("nativeStatus", () => {
  it("tells what doctor shows", () => {
    const status = nativeStatus();
    expect(status.available).toBe(true);
    expect(status.instructionPaths.at(-1)).toBe("portable");
    expect(status.ops).toContain("scale(factor)");
    expect(status.tried).toHaveLength(1);
    expect(status.cores).toBeGreaterThan(0);
  });
});
