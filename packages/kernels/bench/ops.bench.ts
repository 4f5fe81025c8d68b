/**
 * Time of every op but the matrix products at the shapes of small-model training: ns an element and GB/s (inputs read
 * and outputs written once) for those bound by memory, GFLOP/s of the causal half for attention.
 *
 * `node --conditions=@espalier/source bench/ops.bench.ts [--threads N] [--isa avx512] [--seconds S]`: best and median
 * of many runs, after a check against the reference executor. Only the op is timed, not the copies around it.
 */
import { parseArgs } from "node:util";
import { nodeBytes, nodeFlops, Outputs, referenceExecutor, RuntimeInputs } from "@espalier/graph";
import { cpuExecutor, type InstructionPath } from "../src/index.ts";
import { f32, i32 } from "../src/testing/cases/operands.ts";
import { largestError, type OpCase, runCase, traceCase, valuesOf } from "../src/testing/opCase.ts";

const [B, T, C, V] = [8, 128, 96, 1024];
const R = B * T;
const rows = f32([R, C]);
const hidden = f32([R, 4 * C]);
const channels = f32([C]);
const tokens = i32([B, T], (i) => (i * 7919) % V);
const normalised = { accumulate: 0, hasMean: 1, hasChannelWeights: 0 };

function attention(B: number, T: number, N: number, D: number): OpCase[] {
  const q = f32([B, T, N, D]);
  const lse = f32([B, N, T], (i) => 4 + Math.sin(i));
  const note = `B${B} T${T} N${N} D${D}`;
  const attributes = { scale: 1 / Math.sqrt(D) };
  return [
    { op: "causalAttention", note, inputs: [q, q, q], attributes },
    { op: "causalAttentionGrad", note, inputs: [q, q, q, q, lse, q], attributes },
  ];
}

const note = `[${R}, ${C}]`;
const wide = `[${R}, ${4 * C}]`;
const cases: OpCase[] = [
  { op: "add", note, inputs: [rows, rows] },
  { op: "scale", note, inputs: [rows], attributes: { factor: 0.5 } },
  { op: "addBias", note, inputs: [rows, channels] },
  { op: "scaleColumns", note, inputs: [rows, channels] },
  { op: "columnSum", note, inputs: [rows], attributes: { accumulate: 0 } },
  { op: "blend", note, inputs: [rows, rows, f32([1], () => 0.3)] },
  { op: "gelu", note: wide, inputs: [hidden] },
  { op: "geluGrad", note: wide, inputs: [hidden, hidden] },
  { op: "swiglu", note: wide, inputs: [hidden, hidden] },
  { op: "swigluGrad", note: wide, inputs: [hidden, hidden, hidden] },
  { op: "layerNorm", note, inputs: [rows, channels, channels], attributes: { epsilon: 1e-5 } },
  { op: "layerNormGrad", note, inputs: [rows, rows, f32([R]), f32([R], () => 1), channels] },
  { op: "rmsNorm", note, inputs: [rows, channels], attributes: { epsilon: 1e-5 } },
  { op: "rmsNormGrad", note, inputs: [rows, rows, f32([R], () => 1), channels] },
  { op: "normParameterGrad", note, inputs: [rows, rows, f32([R]), f32([R])], attributes: normalised },
  {
    op: "rotary", note: `[${B}, ${T}, 4, 24]`, inputs: [f32([B, T, 4, 24])],
    attributes: { kind: 1, side: 1, base: 10000, scaleBase: 512, gamma: 0.4, centre: 64, inverse: 0 },
  },
  { op: "embedding", note, inputs: [tokens, f32([V, C])], attributes: { factor: 1 } },
  {
    op: "embeddingGrad", note, inputs: [tokens, f32([B, T, C])], outputShapes: [[V, C]],
    attributes: { factor: 1, accumulate: 0 },
  },
  ...attention(8, 128, 4, 24),
  ...attention(4, 256, 6, 64),
];

const { values: options } = parseArgs({
  options: { threads: { type: "string", default: "1" }, isa: { type: "string" }, seconds: { type: "string", default: "0.5" } },
});
const executor = cpuExecutor({ numThreads: Number(options.threads), isa: options.isa as InstructionPath | undefined });
console.log(`${executor.instructionPath}, ${executor.numThreads} thread(s); best / median`);

for (const opCase of cases) {
  const expected = await runCase(referenceExecutor(), opCase);
  const found = await runCase(executor, opCase);
  const error = Math.max(...expected.map((values, i) => largestError(values, found[i]!)));
  if (!(error < 1e-5)) throw new Error(`${opCase.op} ${opCase.note}: error ${error} against the reference; no time is taken of a wrong result.`);

  const { program } = traceCase(opCase);
  const loaded = executor.load(program);
  const runtime = new RuntimeInputs(program);
  opCase.inputs.forEach((tensor, i) => runtime.set(`input${i}`, valuesOf(tensor, opCase.op, "input", i)));
  const outputs = new Outputs(program);
  const times: number[] = [];
  const end = performance.now() + 1000 * Number(options.seconds);
  let before = 0;
  while (times.length < 5 || performance.now() < end) {
    await loaded.run(runtime.bytes, outputs.bytes);
    const total = loaded.profile()[0]!.seconds;
    times.push(total - before);
    before = total;
  }
  loaded.free();

  times.sort((a, b) => a - b);
  const [best, median] = [times[0]!, times[times.length >> 1]!];
  const node = program.instructions[0]!;
  const show = opCase.op.startsWith("causal")
    ? (seconds: number) => `${(nodeFlops(node, program.tensors) / seconds / 1e9).toFixed(0)} GFLOP/s`
    : (seconds: number) => {
        const elements = program.tensors[node.outputs[0]!]!.bytes / 4;
        const touched = opCase.op === "columnSum" || opCase.op === "normParameterGrad" ? R * C : elements;
        return `${((seconds / touched) * 1e9).toFixed(3)} ns ${(nodeBytes(node, program.tensors) / seconds / 1e9).toFixed(0)} GB/s`;
      };
  console.log(`${opCase.op.padEnd(20)} ${opCase.note.padEnd(18)} ${(best * 1e6).toFixed(1).padStart(8)} us  ${show(best)} / ${show(median)}`);
}
