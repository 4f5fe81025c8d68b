/**
 * Every speed bar beside its rival, in turns in one run: products at the shapes of transformers (OpenBLAS, oneDNN), AdamW
 * against copying memory, attention and whole training steps (PyTorch). Rivals that are not installed are skipped with
 * the reason.
 *
 *     [ESPALIER_BENCH_CLOCK=cpu] pnpm bench [--only gemm,adamw,attention,step,neighbour|profile] [--rounds 7] [--burst 0.1]
 *       [--threads 1,2] [--precision fp32,bf16] [--shapes part-of-a-name] [--out benchmarks/bars.json]
 *
 * `profile` runs our steps alone. Both end with a table of the time by op: calls, ms, GFLOP/s and GB/s a step.
 *
 * Prints median [lowest tenth, highest tenth] of the ratios of the rounds, and the share of the peak of that precision that
 * this machine reached in the same rounds; writes one JSON row a comparison. Ratios, not rates, are what a busy machine
 * leaves meaningful; with the clock `cpu` all rates are work per processor second of all threads, times the threads.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { cpuExecutor } from "@espalier/kernels";
import type { Precision } from "@espalier/graph";
import { modelConfig, trainingFlopsPerToken } from "@espalier/spec/model";
import { adamwBench, attentionBench, gemmBench, type GemmShape, StepBench } from "./ours.ts";
import { besideNeighbour, meanRate } from "./neighbour.ts";
import { profileSince, profileTable } from "./profileTable.ts";
import { Rival } from "./rival.ts";
import { clock, inTurns, median, ratios, type Side, spread } from "./statistics.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "gemm,adamw,attention,step,neighbour" },
    rounds: { type: "string", default: "7" },
    burst: { type: "string", default: "0.1" },
    threads: { type: "string", default: "1,2" },
    precision: { type: "string", default: "fp32,bf16" },
    shapes: { type: "string", default: "" },
    out: { type: "string", default: "benchmarks/bars.json" },
  },
});
const rounds = Number(options.rounds);
const burst = Number(options.burst);
const threadCounts = options.threads.split(",").map(Number).filter((n) => n <= availableParallelism());
const precisions = options.precision.split(",") as Precision[];
const wants = (part: string) => options.only.split(",").includes(part);
const checkout = join(import.meta.dirname, "../../../..");

interface Row {
  what: string;
  threads: number;
  unit: string;
  rates: Record<string, ReturnType<typeof spread>>;
  ratios: Record<string, ReturnType<typeof spread>>;
  bars: Record<string, { atLeast: number; met: boolean }>;
  shareOfPeak?: number;
}
const rows: Row[] = [];

const machineLimits = Rival.compiled("machine", [], "g++ is not installed, so there is no peak to compare with");
const openblas = Rival.compiled("openblas", ["-lopenblas"], "needs g++ and OpenBLAS (Debian: libopenblas-dev)");
const onednn = Rival.compiled("onednn", ["-ldnnl", "-fopenmp"], "needs g++ and oneDNN (Debian: libdnnl-dev)");
const torch = Rival.python("pytorch", "torch_step.py", "torch", "needs PyTorch (Debian: python3-torch)");
const rivals = [machineLimits, openblas, onednn, torch];
for (const { name, absent } of rivals) if (absent) console.log(`skipped ${name}: ${absent}`);

/** Compares the first side with the others and prints a line. `bars`: the least ratio to another side. */
async function compare(
  what: string,
  threads: number,
  unit: string,
  sides: Record<string, Side>,
  bars: Record<string, number>,
  flopsPerUnit = 0,
  { repeats = rounds, precision = "fp32" as Precision } = {},
): Promise<void> {
  const limit = precision === "bf16" && cpuExecutor().instructionPath === "avx512bf16" ? "dot" : "fma";
  const peak: Side = async () => Math.max(...(await machineLimits.ask(`${limit} ${threads} 0.15`))); // the best of some bursts: a rival's threads may spin for longer than a pause
  const withPeak = flopsPerUnit && !machineLimits.absent ? { ...sides, peak } : sides;
  const measured = await inTurns(withPeak, repeats);
  const rates = Object.fromEntries(Object.entries(measured).map(([name, values]) => [name, values.map((rate) => rate * perThread(threads))]));
  const row: Row = { what, threads, unit, rates: {}, ratios: {}, bars: {} };
  for (const [name, values] of Object.entries(rates)) row.rates[name] = spread(values);
  const [subject] = Object.keys(sides) as [string];
  const ours = rates[subject]!;
  let line = `${what.padEnd(34)} ${threads}T ${format(median(ours))} ${unit}`;
  if (rates.peak) {
    row.shareOfPeak = (ratios(ours, rates.peak).median * flopsPerUnit) / 1e9;
    line += ` ${(100 * row.shareOfPeak).toFixed(0)}% of peak`;
  }
  for (const name of Object.keys(sides)) {
    if (name === subject) continue;
    const ratio = ratios(ours, rates[name]!);
    row.ratios[name] = ratio;
    const bar = bars[name];
    if (bar !== undefined) row.bars[name] = { atLeast: bar, met: ratio.median >= bar };
    line += `  ${name} x${ratio.median.toFixed(2)} [${ratio.low.toFixed(2)}, ${ratio.high.toFixed(2)}]`;
    if (bar !== undefined) line += ratio.median >= bar ? ` ok (>= ${bar})` : ` SHORT of ${bar}`;
  }
  console.log(line);
  rows.push(row);
}

/** Rates on the clock `cpu` are per processor second of all threads. */
const perThread = (threads: number) => (clock === "cpu" ? threads : 1);

function format(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(4);
}

const gemmShapes: (GemmShape & { name: string })[] = [
  { name: "1024^3", M: 1024, K: 1024, N: 1024 },
  { name: "2048^3", M: 2048, K: 2048, N: 2048 },
  { name: "ffn up d768", M: 256, K: 768, N: 3072 },
  { name: "ffn down d768", M: 256, K: 3072, N: 768 },
  { name: "qkv d768", M: 256, K: 768, N: 2304 },
  { name: "ffn up d768 R1024", M: 1024, K: 768, N: 3072 },
  { name: "head d768", M: 256, K: 768, N: 50304 },
  { name: "ffn up d128", M: 256, K: 128, N: 512 },
].flatMap((shape) => [
  { ...shape, name: `${shape.name} NN`, transA: 0, transB: 0 },
  { ...shape, name: `${shape.name} NT`, transA: 0, transB: 1 },
]);
gemmShapes.push({ name: "dW d768 TN", M: 3072, K: 256, N: 768, transA: 1, transB: 0 });

if (wants("gemm")) {
  for (const [precision, threads] of precisions.flatMap((precision) => threadCounts.map((threads) => [precision, threads] as const))) {
    const executor = cpuExecutor({ numThreads: threads });
    const bf16 = precision === "bf16";
    for (const shape of gemmShapes.filter(({ name }) => name.includes(options.shapes))) {
      const { M, N, K, transA, transB } = shape;
      const gflop = (2 * M * N * K) / 1e9;
      const bench = gemmBench(executor, shape, precision);
      const request = (prepacked: number) => `gemm ${M} ${N} ${K} ${transA} ${transB} ${threads} ${prepacked} ${Number(bf16)} ${burst}`;
      const sides: Record<string, Side> = { espalier: async () => gflop / (await bench.secondsPerCall(burst)) };
      if (!openblas.absent && !bf16) sides.openblas = async () => gflop / median(await openblas.ask(request(0)));
      if (!onednn.absent) sides.onednn = async () => gflop / median(await onednn.ask(request(0)));
      if (!onednn.absent && transB) sides["onednn prepacked"] = async () => gflop / median(await onednn.ask(request(1)));
      await compare(`gemm ${shape.name}${bf16 ? " bf16" : ""}`, threads, "GFLOP/s", sides, { openblas: 1, onednn: 0.95 }, 1e9, { precision });
      bench.free();
    }
  }
}

if (wants("adamw") && !machineLimits.absent) {
  for (const threads of threadCounts) {
    const count = 32 << 20;
    const bench = adamwBench(cpuExecutor({ numThreads: threads }), count);
    const sides = {
      espalier: async () => (28 * count) / 1e9 / (await bench.secondsPerCall(0.2)),
      copy: async () => median(await machineLimits.ask(`copy ${threads} 0.2`)),
    };
    await compare("adamw, 28 bytes a parameter", threads, "GB/s", sides, { copy: 0.85 });
    bench.free();
  }
}

if (wants("attention")) {
  for (const threads of threadCounts) {
    for (const [B, T, N, D] of [[4, 64, 12, 64], [4, 256, 6, 64], [1, 1024, 12, 64], [2, 1024, 6, 128], [8, 64, 4, 32]] as const) {
      const bench = attentionBench(cpuExecutor({ numThreads: threads }), B, T, N, D);
      // Products of the causal half: 2 forward, 5 backward.
      const gflop = (7 * 2 * D * B * N * T * (T + 1)) / 2 / 1e9;
      const sides: Record<string, Side> = { espalier: async () => gflop / (await bench.secondsPerCall(burst)) };
      if (!torch.absent) sides.pytorch = async () => gflop / median(await torch.ask(`attention ${B} ${T} ${N} ${D} ${threads} ${burst}`));
      await compare(`attention B${B} T${T} N${N} D${D} fwd+bwd`, threads, "GFLOP/s", sides, { pytorch: 1 }, 1e9);
      console.log(profileTable(bench.profile(), bench.profile()[0]!.calls));
      bench.free();
    }
  }
}

const steps = [
  { name: "d4/128 V256 B8 T64", B: 8, bar: 1, tokensPerSecond: 25_000, shape: { numLayers: 4, residualDim: 128, numKvHeads: 4, vocabSize: 256, seqLen: 64 } },
  { name: "d6/384 V50304 B4 T64", B: 4, bar: 1.8, bf16Bar: 3, shape: { numLayers: 6, residualDim: 384, numKvHeads: 6, vocabSize: 50304, seqLen: 64 } },
  { name: "d6/384 V50304 B4 T256", B: 4, bar: 1.8, bf16Bar: 3, shape: { numLayers: 6, residualDim: 384, numKvHeads: 6, vocabSize: 50304, seqLen: 256 } },
  { name: "d12/768 V50304 B4 T64", B: 4, bar: 2, bf16Bar: 3.4, shape: { numLayers: 12, residualDim: 768, numKvHeads: 12, vocabSize: 50304, seqLen: 64 } },
];
if (wants("step") || wants("profile")) {
  for (const { name, B, bar, bf16Bar, tokensPerSecond, shape } of steps.filter(({ name }) => name.includes(options.shapes))) {
    for (const [precision, threads] of precisions.flatMap((precision) => threadCounts.map((threads) => [precision, threads] as const))) {
      const config = modelConfig({ family: "flm", headDim: shape.residualDim / shape.numKvHeads, ...shape });
      const bench = new StepBench(config, B, threads, precision);
      const stepsATurn = tokensPerSecond ? 20 : 1;
      let steps = 0;
      const sides: Record<string, Side> = {
        espalier: async () => {
          // A step does part of the updates of the one before it, so the first of a turn is left out, on both sides.
          steps += 1 + stepsATurn;
          await bench.step();
          const rate = median(await repeated(stepsATurn, bench.step));
          bench.settle();
          return rate;
        },
      };
      if (!torch.absent && wants("step")) {
        const { numLayers: L, residualDim: C, numKvHeads: N, vocabSize: V, seqLen: T } = shape;
        await torch.ask(`model ${L} ${C} ${N} ${V} ${T} ${B} ${threads}`);
        sides.pytorch = async () => (B * T) / median((await torch.ask(`step ${1 + stepsATurn}`)).slice(1));
      }
      const least = precision === "bf16" ? bf16Bar : bar;
      const bars: Record<string, number> = threads === 2 && least !== undefined ? { pytorch: least } : {};
      await bench.step(); // allocates
      const before = bench.profile();
      await compare(`step ${name} ${precision}`, threads, "tokens/s", sides, bars, trainingFlopsPerToken(config), { repeats: Math.min(rounds, 5), precision });
      const { median: rate } = rows.at(-1)!.rates.espalier!;
      if (tokensPerSecond && threads === 2 && precision === "fp32") {
        const met = rate >= tokensPerSecond;
        rows.at(-1)!.bars["tokens a second"] = { atLeast: tokensPerSecond, met };
        console.log(`  bar: ${tokensPerSecond} tokens/s ${met ? "ok" : "SHORT"}`);
      }
      console.log(profileTable(profileSince(bench.profile(), before), steps));
      bench.model.free();
    }
  }
}

// Two threads beside a process that keeps one of two cores busy: half of the machine is left at the worst.
if (wants("neighbour") && !machineLimits.absent) {
  const neighbour = Rival.compiled("machine", [], "");
  for (const { name, B, shape } of steps.slice(0, 2)) {
    const bench = new StepBench(modelConfig({ family: "flm", headDim: shape.residualDim / shape.numKvHeads, ...shape }), B, 2, "fp32");
    const tokens = B * shape.seqLen;
    const alone = meanRate(async () => (await bench.step(), tokens));
    const sides: Record<string, Side> = { espalier: besideNeighbour(alone, neighbour), "the same alone": alone };
    await compare(`beside a busy core, ${name}`, 2, "tokens/s", sides, { "the same alone": 0.5 });
    if (!torch.absent) {
      const { numLayers: L, residualDim: C, numKvHeads: N, vocabSize: V, seqLen: T } = shape;
      await torch.ask(`model ${L} ${C} ${N} ${V} ${T} ${B} 2`);
      const theirs = meanRate(async () => (await torch.ask("step 1"), tokens));
      await compare(`  PyTorch there, ${name}`, 2, "tokens/s", { pytorch: besideNeighbour(theirs, neighbour), "the same alone": theirs }, {});
    }
    bench.model.free();
  }
  neighbour.close();
}
for (const rival of rivals) rival.close();

async function repeated(count: number, side: Side): Promise<number[]> {
  const rates: number[] = [];
  for (let i = 0; i < count; i++) rates.push(await side());
  return rates;
}

const flags = /^flags\s*: (.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]?.split(" ").filter((flag) => /^(fma|avx)/.test(flag)) ?? [];
const machine = {
  processor: cpus()[0]!.model, cores: availableParallelism(), flags, load: loadavg()[0], clock,
  path: cpuExecutor().instructionPath, node: process.version,
  compiler: firstLine("g++", ["--version"]), commit: firstLine("git", ["-C", checkout, "rev-parse", "--short", "HEAD"]),
};
const file = join(checkout, options.out);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `{\n"machine": ${JSON.stringify(machine)},\n"rounds": ${rounds},\n"rows": [\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n}\n`);
console.log(`rows: ${options.out}`);

function firstLine(command: string, args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split("\n")[0]!;
  } catch {
    return "unknown";
  }
}
