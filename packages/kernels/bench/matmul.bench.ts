/**
 * GFLOP/s of `matmul` at the shapes of small-model training, beside the FMA peak of one thread.
 *
 * `pnpm --filter @espalier/kernels bench [--threads N] [--isa avx512]`: best and median of `repeats` runs after a
 * check of the result against a plain sum over a few entries.
 */
import { parseArgs } from "node:util";
import type { Program } from "@espalier/graph";
import { cpuExecutor, type InstructionPath } from "../src/index.ts";

interface Shape {
  M: number;
  N: number;
  K: number;
  transA: number;
  transB: number;
  gelu?: number;
  note: string;
}

const shapes: Shape[] = [
  { M: 1024, N: 1024, K: 1024, transA: 0, transB: 0, note: "square" },
  { M: 1024, N: 1024, K: 1024, transA: 0, transB: 1, note: "square" },
  { M: 1024, N: 384, K: 96, transA: 0, transB: 1, note: "ffn up" },
  { M: 1024, N: 384, K: 96, transA: 0, transB: 1, gelu: 1, note: "ffn up, bias + gelu + pre" },
  { M: 1024, N: 96, K: 384, transA: 0, transB: 1, note: "ffn down" },
  { M: 1024, N: 96, K: 384, transA: 0, transB: 0, note: "dX of ffn up" },
  { M: 384, N: 96, K: 1024, transA: 1, transB: 0, note: "dW of ffn up" },
  { M: 96, N: 384, K: 1024, transA: 1, transB: 0, note: "dW of ffn down" },
  { M: 1024, N: 48, K: 48, transA: 0, transB: 1, note: "smallest projection" },
  { M: 1024, N: 768, K: 192, transA: 0, transB: 1, note: "ffn up" },
  { M: 1024, N: 2048, K: 512, transA: 0, transB: 1, note: "ffn up" },
  { M: 1024, N: 512, K: 2048, transA: 0, transB: 1, note: "ffn down" },
  { M: 512, N: 2048, K: 1024, transA: 1, transB: 0, note: "dW" },
  { M: 1024, N: 4096, K: 192, transA: 0, transB: 1, note: "head" },
];

function programOf({ M, N, K, transA, transB, gelu = 0 }: Shape): Program {
  const owned = (id: number, name: string, shape: number[]) =>
    ({ id, name, shape, dtype: "f32", region: "owned", offset: 0, bytes: 4 * shape.reduce((a, b) => a * b) }) as const;
  const tensors = [
    owned(0, "a", transA ? [K, M] : [M, K]),
    owned(1, "b", transB ? [N, K] : [K, N]),
    owned(2, "bias", [N]),
    owned(3, "y", [M, N]),
    owned(4, "pre", [M, N]),
  ];
  const attributes = { transA, transB, alpha: 1, accumulate: 0, bias: gelu, gelu, gate: 0, residual: 0, savePre: gelu };
  const node = { op: "matmul", inputs: gelu ? [0, 1, 2] : [0, 1], outputs: gelu ? [3, 4] : [3], attributes };
  return { tensors, instructions: [node], arenaBytes: 0, runtimeBytes: 0, outputBytes: 0 };
}

async function measure(shape: Shape, threads: number, isa: InstructionPath | undefined, seconds: number) {
  const executor = cpuExecutor({ numThreads: threads, isa });
  const program = executor.load(programOf(shape));
  const buffers = new Map(
    program.program.tensors.map((tensor) => {
      const buffer = executor.allocate(tensor.bytes);
      buffer.write(Float32Array.from({ length: tensor.bytes / 4 }, (_, i) => Math.sin(i * 0.37)));
      program.bind(tensor.name, buffer);
      return [tensor.name, buffer];
    }),
  );
  const none = new Uint8Array(0);
  await program.run(none, none);
  check(shape, buffers.get(shape.gelu ? "pre" : "y")!, shape.gelu ? 1 : 0);
  const times: number[] = [];
  const flops = 2 * shape.M * shape.N * shape.K;
  let before = program.profile()[0]!.seconds;
  for (let spent = 0; spent < seconds || times.length < 5; ) {
    await program.run(none, none);
    const after = program.profile()[0]!.seconds;
    times.push(after - before);
    spent += after - before;
    before = after;
  }
  program.free();
  times.sort((a, b) => a - b);
  return { best: flops / times[0]! / 1e9, median: flops / times[times.length >> 1]! / 1e9, repeats: times.length };
}

function check({ M, N, K, transA, transB }: Shape, buffer: { read(target: Float32Array): void }, withBias: number): void {
  const y = new Float32Array(M * N);
  buffer.read(y);
  const value = (i: number) => Math.fround(Math.sin(i * 0.37));
  for (const [row, col] of [[0, 0], [M - 1, N - 1], [M >> 1, N >> 1]] as const) {
    let sum = withBias * value(col);
    for (let k = 0; k < K; k++) sum += value(transA ? k * M + row : row * K + k) * value(transB ? col * K + k : k * N + col);
    if (Math.abs(sum - y[row * N + col]!) > 1e-3) throw new Error(`matmul: [${row}, ${col}] is ${y[row * N + col]}, expected ${sum}`);
  }
}

const { values } = parseArgs({
  options: {
    threads: { type: "string", default: "1" },
    isa: { type: "string" },
    seconds: { type: "string", default: "0.5" },
  },
});
const isa = values.isa as InstructionPath | undefined;
console.log(`path ${cpuExecutor({ isa }).instructionPath}, ${values.threads} thread(s)`);
console.log("     M     N     K  op   best  median GFLOP/s  repeats");
for (const shape of shapes) {
  const { best, median, repeats } = await measure(shape, Number(values.threads), isa, Number(values.seconds));
  const columns = [shape.M, shape.N, shape.K].map((n) => String(n).padStart(6)).join("");
  const op = (shape.transA ? "T" : "N") + (shape.transB ? "T" : "N");
  console.log(`${columns}  ${op} ${best.toFixed(1).padStart(6)} ${median.toFixed(1).padStart(7)} ${String(repeats).padStart(17)}  ${shape.note}`);
}
