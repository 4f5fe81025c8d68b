/**
 * Published configurations as inputs of the step model. Facts of a source that its rows do not carry (network, attention
 * kernel, gradient bytes, shapes known by name) stand here, one entry a source, each with its reason; nothing here is
 * fitted.
 */
import { cluster, type Cluster } from "../src/cluster/device.ts";
import { teraflops, type FlopConventions } from "../src/cluster/conventions.ts";
import { layout, layoutProblems, type Layout } from "../src/cluster/layout.ts";
import { defaultMemory, flatAdamMemory, type MemoryConstants, peakMemory } from "../src/cluster/memory.ts";
import { priorConstants } from "../src/cluster/constants.ts";
import { stepSeconds, sumParts } from "../src/cluster/step.ts";
import type { ClusterModel } from "../src/cluster/shape.ts";
import { parseCsv } from "../src/csv.ts";

export interface PublishedRow {
  id: string;
  source: string;
  /** Rows of one cluster share a calibration: source, GPU, precision and its recipe, full sharding or not. */
  cluster: string;
  gpu: string;
  model: ClusterModel;
  layout: Layout;
  machine: Cluster;
  /** Absent for rows that print memory only. */
  seconds?: number;
  memoryGib?: number;
  memory: MemoryConstants;
  fp8: boolean;
}

type Shape = Partial<ClusterModel>;
const gpt = (numLayers: number, residualDim: number, numHeads: number, vocabSize: number, extra: Shape = {}): Shape => ({
  numLayers, residualDim, numHeads, numKvHeads: numHeads, ffnDim: 4 * residualDim, vocabSize, gated: false, ...extra,
});

/** Shapes of models that the rows name without sizes; checked against the FLOPs a token that the row itself prints. */
const NAMED: Record<string, Shape> = {
  "InternLM-7B": { ...gpt(32, 4096, 32, 103168), ffnDim: 11008, gated: true },
  "InternLM-20B": { ...gpt(60, 5120, 40, 103168), ffnDim: 13824, gated: true },
  "GPT3-5B": gpt(24, 4096, 32, 51200),
  "GPT3-20B": gpt(44, 6144, 48, 51200),
  "Nemotron-8B": gpt(32, 4096, 32, 256000, { tiedHead: false }),
  "Nemotron-22B": gpt(40, 6144, 48, 256000, { tiedHead: false }),
  "Nemotron-340B": gpt(96, 18432, 96, 256000, { numKvHeads: 8, tiedHead: false }),
  "Qwen3 MoE 30B": { ...gpt(48, 2048, 32, 151936, { numKvHeads: 4, headDim: 128, tiedHead: false }), gated: true, ffnDim: 6144, experts: { numExperts: 128, topK: 8, ffnDim: 768, sharedFfnDim: 0, numMoeLayers: 48 } },
  "GPT-OSS 20B": { ...gpt(24, 2880, 64, 201088, { numKvHeads: 8, headDim: 64, tiedHead: false }), gated: true, ffnDim: 2880, experts: { numExperts: 32, topK: 4, ffnDim: 2880, sharedFfnDim: 0, numMoeLayers: 24 } },
  "GPT-OSS 120B": { ...gpt(36, 2880, 64, 201088, { numKvHeads: 8, headDim: 64, tiedHead: false }), gated: true, ffnDim: 2880, experts: { numExperts: 128, topK: 4, ffnDim: 2880, sharedFfnDim: 0, numMoeLayers: 36 } },
  // Widths of the first two FLM stages are not published; these are the presets' choice.
  "FLM-16B stage": gpt(48, 5120, 40, 100256),
  "FLM-51B stage": gpt(64, 8192, 64, 100256),
};

interface SourceFacts {
  gbit?: number;
  layout?: Partial<Layout>;
  convention?: keyof FlopConventions;
  seqLen?: number;
  memory?: MemoryConstants;
}

/** Megatron before sequence parallelism, flash attention and overlapped reduction. */
const MEGATRON_2021: Partial<Layout> = { attention: "unfused", sequenceParallel: false, overlapData: "none", gradientBytes: 2, sharding: "none" };

const SOURCES: Record<string, SourceFacts> = {
  sc21t1: { gbit: 200, convention: "megatronRecompute", layout: MEGATRON_2021 },
  sc21t2: { gbit: 200, convention: "megatronRecompute", layout: MEGATRON_2021 },
  mtnlg: { gbit: 200, layout: { ...MEGATRON_2021, recompute: "full", microBatchSize: 1 } },
  vtrainm: { gbit: 100, layout: MEGATRON_2021 },
  mpt: { layout: { sharding: "full", kernels: "eager", attention: "flashTriton" } }, // llm-foundry's Triton kernel; A100: 1,600 Gb/s a node = 200 a GPU; H100: the DGX value
  mcoreh100: { gbit: 400, convention: "fullAttention", layout: { overlapTensor: true } },
  // NeMo reduces gradients in bf16 (grad_sync_dtype).
  nemo2407: { gbit: 400, layout: { overlapTensor: true, gradientBytes: 2 } },
  nemolaunch: { gbit: 400, layout: { overlapTensor: true, gradientBytes: 2 } },
  nemolong: { gbit: 400, convention: "fullAttention", layout: { overlapTensor: true, gradientBytes: 2 } },
  ttitan24: { gbit: 400, layout: { sharding: "full", fp8Scaling: "dynamic" }, seqLen: 8192 },
  ttitan25: { gbit: 400, layout: { sharding: "full", fp8Scaling: "dynamic" }, seqLen: 8192 },
  internevo: { gbit: 50, layout: { gradientBytes: 2, kernels: "eager", overlapData: "gradients" } }, // weights are broadcast after the step; 4 x 100 Gb/s a node
  // Its optimiser converts the flat gradient to fp32 and runs the plain AdamW of PyTorch on it (hybrid_zero_optim.py).
  internevomem: { gbit: 50, layout: { gradientBytes: 2 }, seqLen: 2048, memory: flatAdamMemory },
  automodel: { gbit: 400, layout: { sharding: "full" } },
  flm101b: { convention: "megatron", layout: {} },
};

const GPUS: Record<string, string> = {
  A100: "A100-SXM-80GB",
  "A800-80GB": "A800-SXM-80GB",
  B200: "B200-SXM-180GB",
};

const noteNumber = (note: string, key: string) => Number(new RegExp(`${key}=(-?\\d+)`).exec(note)?.[1] ?? Number.NaN);

function layoutOf(row: Record<string, string>, source: string, facts: SourceFacts, m: ClusterModel): Layout {
  const number = (key: string) => (row[key] ? Number(row[key]) : undefined);
  const note = row.note!;
  const tensor = number("tp") ?? 1;
  const pipeline = number("pp") ?? 1;
  const context = number("cp") ?? 1;
  const data = number("dp") ?? Number(row.n_gpus) / (tensor * pipeline * context);
  const accumulate = noteNumber(note, "grad_accum") || noteNumber(note, "micro_num\\(grad accum\\)") || noteNumber(note, "micro_num") || 1;
  const localBatch = /local batch[ =](\d+)/.exec(note)?.[1];
  const micro = number("micro_batch") ?? facts.layout?.microBatchSize ?? 1;
  const batch = number("global_batch_seqs") ?? (localBatch ? Number(localBatch) * data : micro * data * accumulate);
  const base = layout({
    tensor, pipeline, context, data, expert: number("ep") ?? 1, globalBatchSize: batch, microBatchSize: localBatch && pipeline > 1 ? Number(localBatch) / pipeline : micro, ...facts.layout,
    ...(number("micro_batch") === undefined ? {} : { microBatchSize: micro }),
  });
  const vp = noteNumber(note, "vp");
  const virtualStages = vp > 1 ? vp : /Interleaved/.test(note) ? 2 : 1;
  const zero1 = noteNumber(note, "zero1");
  const zero3 = /zero=3|fsdp=FULL_SHARD|fsdp=True/.test(note);
  const zero2 = /fsdp=SHARD_GRAD_OP/.test(note);
  const selective = row.recompute!.startsWith("selective");
  return {
    ...base,
    virtualStages,
    schedule: virtualStages > 1 ? "interleaved" : "1f1b",
    // torchtitan's micro-batches default to the number of stages, and FSDP then keeps weights for the step.
    shardRanks: zero1 > 0 ? zero1 : 0,
    sharding: base.sharding === "full" && pipeline > 1 ? "gradients" : zero3 ? "full" : zero2 ? "gradients" : base.sharding,
    gradientBytes: /mp_mode=PURE/.test(note) ? 2 : base.gradientBytes,
    precision: row.precision === "fp8" || /H100 80GB FP8/.test(note) ? "fp8" : "bf16",
    // torchtitan's "selective" recomputes every second product; elsewhere it is the attention core.
    recompute: row.recompute === "full" ? "full" : selective ? (row.id!.startsWith("ttitan") ? "alternate" : "selective") : (base.recompute ?? "none"),
    kernels: source === "ttitan24" && !/torch.compile/.test(note) ? "eager" : base.kernels,
    overlapTensor: base.overlapTensor || /async ?TP/i.test(note.replace("vanilla TP", "")),
    sequenceParallel: base.sequenceParallel && tensor > 1 && m.numHeads % tensor === 0,
  };
}

/**
 * What a row does not state, as somebody who tunes would choose it: the fastest of micro-batches 1, 2, 4, 8, of
 * recomputation none, selective, full, and of expert parallelism that fits by the memory model, or the smallest where none does. Timed with the constants before any fit.
 */
function completed(l: Layout, m: ClusterModel, machine: Cluster, unstated: { microBatch: boolean; recompute: boolean; expert: boolean }): Layout {
  if (!unstated.microBatch && !unstated.recompute && !unstated.expert) return l;
  let best = l;
  let bestSeconds = Infinity;
  let least = { layout: l, bytes: Infinity };
  for (const microBatchSize of unstated.microBatch ? [1, 2, 4, 8] : [l.microBatchSize]) {
    for (const recompute of unstated.recompute ? (["none", "selective", "full"] as const) : [l.recompute]) {
      for (const expert of unstated.expert ? [1, 2, 4, 8, 16, 32, 64].filter((e) => l.data % e === 0) : [l.expert]) {
        const candidate = { ...l, microBatchSize, recompute, expert };
        if (layoutProblems(m, candidate, machine).length > 0) continue;
        const bytes = peakMemory(m, candidate);
        if (bytes < least.bytes) least = { layout: candidate, bytes };
        if (bytes > machine.device.memoryGb * 2 ** 30) continue;
        const seconds = sumParts(stepSeconds(m, candidate, machine, priorConstants));
        if (seconds < bestSeconds) [best, bestSeconds] = [candidate, seconds];
      }
    }
  }
  return bestSeconds < Infinity ? best : least.layout;
}

/** Rows of dense models on NVIDIA A100, A800, H100 and B200 with a stated layout; the others with the reason. */
export function publishedRows(csv: string): { rows: PublishedRow[]; left: Map<string, number> } {
  const rows: PublishedRow[] = [];
  const left = new Map<string, number>();
  for (const row of parseCsv(csv)) {
    const source = row.id!.replace(/-\d+$/, "");
    const leave = (why: string) => left.set(`${source}: ${why}`, (left.get(`${source}: ${why}`) ?? 0) + 1);
    const facts = SOURCES[source];
    if (!facts) { leave("no layout, batch or sequence length, or no GPU of the catalogue"); continue; }
    const named = NAMED[row.model!] ?? {};
    const number = (key: string) => (row[key] ? Number(row[key]) : undefined);
    const residualDim = number("hidden") ?? named.residualDim;
    if (!residualDim || !row.n_gpus) { leave("no shape"); continue; }
    const llama = /llama/i.test(row.model!);
    const numHeads = number("heads") ?? named.numHeads!;
    const m: ClusterModel = {
      numLayers: number("layers") ?? named.numLayers!,
      residualDim,
      ffnDim: number("ffn") ?? named.ffnDim!,
      numHeads,
      numKvHeads: number("kv_heads") ?? named.numKvHeads ?? numHeads,
      headDim: named.headDim ?? residualDim / numHeads,
      vocabSize: number("vocab") ?? named.vocabSize ?? 51200,
      seqLen: number("seq_len") ?? facts.seqLen!,
      gated: named.gated ?? llama,
      tiedHead: named.tiedHead ?? !(llama || named.gated),
      ...(named.experts ? { experts: named.experts } : {}),
    };
    const machine = cluster(GPUS[row.gpu!] ?? row.gpu!, Number(row.n_gpus), facts.gbit ? { interNodeGbitPerSecond: facts.gbit } : {});
    if (source === "nemolong" && !row.dp) { leave("the printed dp does not fit the layout"); continue; }
    const l = completed(layoutOf(row, source, facts, m), m, machine, {
      microBatch: !row.micro_batch && facts.layout?.microBatchSize === undefined && !/local batch/.test(row.note!),
      recompute: !row.recompute && facts.layout?.recompute === undefined,
      expert: m.experts !== undefined && !row.ep,
    });
    const [problem] = layoutProblems(m, l, machine);
    if (problem) { leave(problem.slice(0, 90)); continue; }
    const tokens = l.globalBatchSize * m.seqLen;
    const perGpu = number("tokens_per_s_per_gpu");
    const printed = number("tflops_per_gpu");
    const seconds =
      number("step_time_s") ??
      (perGpu ? tokens / (perGpu * machine.numGpus) : printed && facts.convention ? teraflops(m, l, machine, 1)[facts.convention] / printed : undefined);
    const memoryGib = number("memory_gb");
    if (seconds === undefined && memoryGib === undefined) { leave("prints neither time nor memory"); continue; }
    rows.push({
      id: row.id!, source, cluster: [source, row.gpu, l.precision, l.sharding === "full" ? "fully sharded" : "", /recipe=rowwise/.test(row.note!) ? "row-wise" : ""].join(" "), gpu: row.gpu!, model: m, layout: l, machine, memory: facts.memory ?? defaultMemory, fp8: l.precision === "fp8",
      ...(seconds === undefined ? {} : { seconds }), ...(memoryGib === undefined ? {} : { memoryGib }),
    });
  }
  return { rows, left };
}
