import { type Cluster } from "./device.ts";
import { expectLayout, type Layout, microBatches } from "./layout.ts";
import { type ClusterModel, parameterBuckets, qkvDim } from "./shape.ts";

/** Bytes of one kind on a device of one pipeline stage. */
export interface MemoryPart {
  name: string;
  bytes: number;
  formula: string;
}

export interface StageMemory {
  stage: number;
  bytes: number;
  /** Sum to `bytes`. */
  parts: readonly MemoryPart[];
  /** Parameters of this rank: divided by tensor parallelism, whole, routed experts. */
  buckets: { tensor: number; replicated: number; routed: number };
}

export interface ClusterMemory {
  stages: readonly StageMemory[];
  /** The fullest stage. */
  peakBytes: number;
  deviceBytes: number;
  fits: boolean;
  /** What would make it fit, most telling first; empty when it fits. */
  advice: readonly string[];
}

/** What the framework adds; two numbers that one measured peak can replace. */
export interface MemoryConstants {
  /** Context of the driver, communicators, workspace. */
  reserveBytes: number;
  /** Held by the allocator over what is in use: fragmentation of long-lived and short-lived blocks. */
  allocatorShare: number;
  /** Bytes of state a parameter beyond weights, gradients, master weights and two moments. */
  extraStateBytes: number;
}

export const defaultMemory: MemoryConstants = { reserveBytes: 1.5e9, allocatorShare: 0.05, extraStateBytes: 0 };

/**
 * An optimiser that updates one flat tensor without a fused kernel (InternEvo's hybrid ZeRO) holds during the update,
 * beyond its state: the gradient in fp32, the root of the second moment and that root over its bias correction, 4 bytes
 * each.
 */
export const flatAdamMemory: MemoryConstants = { ...defaultMemory, extraStateBytes: 12 };

/**
 * Bytes of activations that one token leaves for the backward pass in one layer: [whole or sequence-parallel, divided
 * by tensor]. Without flash attention and with dropout this is Korthikanti's `34 C + 5 N T`.
 *
 * @see Korthikanti et al. 2022, arXiv:2205.05198, section 4
 */
export function activationBytesPerToken(m: ClusterModel, l: Layout): [number, number] {
  const C = m.residualDim;
  if (l.recompute === "full") return [2 * C, 0];
  const e = m.experts;
  const moeShare = e ? e.numMoeLayers / m.numLayers : 0;
  const ffn = m.ffnDim * (1 - moeShare) + (e ? (e.topK * e.ffnDim + e.sharedFfnDim) * moeShare : 0);
  const routedCopies = e ? 2 * 2 * e.topK * C * moeShare : 0; // dispatched tokens and what the experts return
  const dropout = l.attention === "unfused" ? 2 * C : 0;
  const inner = m.numHeads * m.headDim;
  // Inputs of products are kept as they were multiplied: one byte where Transformer Engine cast them.
  const kept = l.precision === "fp8" && l.fp8Scaling === "delayed" ? 1 : 2;
  const whole = 2 * 2 * C + 2 * kept * C + dropout + routedCopies; // inputs and outputs of two norms
  const scores = l.attention === "unfused" && l.recompute !== "selective" ? 5 * m.numHeads * m.seqLen : 0;
  // Gate: gate, up, their product, and in eager kernels the activated gate too; GELU: input and output.
  const mlp = ((m.gated ? (l.kernels === "eager" ? 6 : 4) : 2) + kept) * ffn;
  const divided = 2 * qkvDim(m) + kept * inner + scores + mlp;
  // Every second product is computed again: its output and what follows from it element by element are not kept.
  return l.recompute === "alternate" ? [whole / 2, divided / 2] : [whole, divided];
}

/** Micro-batches whose activations stage i holds at once, in units of its whole depth. */
export function microBatchesInFlight(l: Layout, stage: number): number {
  const p = l.pipeline;
  if (p === 1) return 1;
  const m = microBatches(l);
  if (l.schedule === "interleaved") {
    const v = l.virtualStages;
    // Warm-up of stage i: 2 (p - i - 1) + (v - 1) p pieces, one more in work; a piece is 1/v of the depth.
    return Math.min(m, (2 * (p - stage - 1) + (v - 1) * p + 1) / v);
  }
  return Math.min(m, p - stage);
}

/** Memory of one stage; no checks. */
export function stageMemory(m: ClusterModel, l: Layout, stage: number, k: MemoryConstants = defaultMemory): StageMemory {
  const b = parameterBuckets(m);
  const first = stage === 0;
  const last = stage === l.pipeline - 1;
  const layers = Math.ceil(m.numLayers / l.pipeline);
  const tables = m.tiedHead ? Number(first || last) : Number(first) + Number(last);
  const table = (tables * b.table) / l.tensor;
  const tensor = (layers * (b.attention + b.mlp)) / l.tensor;
  const replicated = layers * b.replicated + (last ? m.residualDim : 0);
  const routed = (layers * b.routed) / (l.tensor * l.expert);
  const dense = tensor + replicated;
  const ranks = l.data * l.context;
  const expertRanks = Math.max(1, ranks / l.expert);
  const shards = l.shardRanks > 0 ? Math.min(l.shardRanks, ranks) : ranks;
  const share = (sharded: boolean, parameters: number, over: number) => parameters / (sharded ? over : 1);
  const kept = (sharded: boolean) => share(sharded, dense, shards) + share(sharded, routed, Math.min(shards, expertRanks));
  const keptTable = (sharded: boolean) => share(sharded, table, shards);

  const full = l.sharding === "full";
  const scattered = full || l.sharding === "gradients";
  const sharedState = l.sharding !== "none";
  // FSDP keeps fp32 shards, which are the master weights, and gathers bf16 copies of two layers at a time.
  const perLayer = (dense + routed) / layers;
  const gathered = full ? 2 * 2 * perLayer + 2 * table : 0;
  const weights = full ? gathered : 2 * kept(false);
  const weightsTable = full ? 0 : 2 * keptTable(false);
  // Beside a pipeline FSDP reduces after the last micro-batch, so whole gradients add up until then.
  const whole32 = l.sharding === "gradients" && l.pipeline > 1;
  const gradientBytes = scattered ? 4 : l.gradientBytes;
  const tokens = (l.microBatchSize * m.seqLen) / l.context;
  const [whole, divided] = activationBytesPerToken(m, l);
  const perToken = whole / (l.sequenceParallel ? l.tensor : 1) + divided / l.tensor;
  const flight = microBatchesInFlight(l, stage);
  const replay = l.recompute === "full" ? activationBytesPerToken(m, { ...l, recompute: "none" }) : [0, 0];
  const live = tokens * (replay[0]! / (l.sequenceParallel ? l.tensor : 1) + replay[1]! / l.tensor);
  // Sequence parallelism gathers what a layer reads: the gathered input, its copy for the weight gradient, its own
  // gradient and the partial output, each tokens x C.
  const gathers = l.sequenceParallel && l.tensor > 1 ? 4 * 2 * m.residualDim * tokens : 0;
  // bf16 logits, their fp32 copy and its gradient.
  const logits = last ? (tokens * m.vocabSize * (l.kernels === "eager" || full ? 2 + 4 + 4 : 4 + 2)) / l.tensor : 0;

  const parts: MemoryPart[] = [
    { name: "weights", bytes: weights, formula: full ? "bf16 copies of two layers and a table, gathered" : "2 bytes a parameter of the rank" },
    { name: "embedding tables", bytes: weightsTable + (gradientBytes * keptTable(scattered) + 12 * keptTable(sharedState)), formula: "first and last stage: weights, gradients and state of V x C / tensor" },
    { name: "gradients", bytes: gradientBytes * kept(scattered && !whole32), formula: `${gradientBytes} bytes a parameter` },
    { name: "optimiser state", bytes: (12 + k.extraStateBytes) * kept(sharedState) + k.extraStateBytes * keptTable(sharedState), formula: "fp32 master weights and two moments, 12 bytes a parameter" },
    { name: "activations", bytes: layers * flight * tokens * perToken, formula: `layers * micro-batches in flight (${+flight.toFixed(2)}) * tokens * bytes a token` },
    { name: "layer computed again", bytes: live, formula: "one layer's activations while it is replayed" },
    { name: "gathered sequences", bytes: gathers, formula: "sequence parallelism: four times tokens * C * 2 bytes" },
    { name: "logits", bytes: logits, formula: "last stage: tokens * V / tensor * bytes" },
  ];
  const used = parts.reduce((sum, part) => sum + part.bytes, 0);
  parts.push({ name: "reserve", bytes: k.reserveBytes + k.allocatorShare * used, formula: "driver and communicators, and what the allocator holds unused" });
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  return { stage, bytes, parts, buckets: { tensor: tensor + table, replicated, routed } };
}

/** Bytes on the fullest stage: the first or the last. No checks. */
export function peakMemory(m: ClusterModel, l: Layout, k: MemoryConstants = defaultMemory): number {
  const first = stageMemory(m, l, 0, k).bytes;
  return l.pipeline === 1 ? first : Math.max(first, stageMemory(m, l, l.pipeline - 1, k).bytes);
}

/**
 * Memory of every pipeline stage by part, whether it fits the device, and what to change when it does not.
 *
 * @throws {ConfigError} when the layout does not divide model, batch or cluster
 */
export function predictClusterMemory(m: ClusterModel, l: Layout, c: Cluster, k: MemoryConstants = defaultMemory): ClusterMemory {
  expectLayout(m, l, c);
  const stages = Array.from({ length: l.pipeline }, (_, i) => stageMemory(m, l, i, k));
  const peakBytes = Math.max(...stages.map((stage) => stage.bytes));
  const deviceBytes = c.device.memoryGb * 2 ** 30;
  const fits = peakBytes <= deviceBytes;
  const tries: [string, Partial<Layout>][] = [
    ["share out the optimiser state over data-parallel ranks", { sharding: l.sharding === "none" ? "optimizer" : l.sharding }],
    ["recompute the attention core", { recompute: "selective" }],
    ["recompute whole layers", { recompute: "full" }],
    ["use micro-batches of one sequence", { microBatchSize: 1 }],
    ["share out weights, gradients and state (FSDP)", { sharding: "full" }],
  ];
  const advice = fits
    ? []
    : tries
        .map(([name, change]) => ({ name, bytes: peakMemory(m, { ...l, ...change }, k) }))
        .filter(({ bytes }) => bytes < 0.99 * peakBytes)
        .toSorted((a, b) => Number(b.bytes <= deviceBytes) - Number(a.bytes <= deviceBytes))
        .map(({ name, bytes }) => `${name}: ${(bytes / 2 ** 30).toFixed(1)} of ${c.device.memoryGb} GiB${bytes <= deviceBytes ? "" : ", not enough alone"}`);
  if (!fits && advice.length === 0) advice.push("raise tensor or pipeline, or take devices with more memory");
  return { stages, peakBytes, deviceBytes, fits, advice };
}

/** A peak that somebody measured on the fullest device, in bytes. */
export interface MeasuredMemory {
  model: ClusterModel;
  layout: Layout;
  bytes: number;
}

/**
 * Memory constants from one measured peak: what the formula lacks is taken for state that the framework keeps a
 * parameter (copies of gradients, temporaries of the optimiser). Never below 0.
 */
export function calibrateMemory({ model, layout, bytes }: MeasuredMemory, prior: MemoryConstants = defaultMemory): MemoryConstants {
  const base = peakMemory(model, layout, { ...prior, extraStateBytes: 0 });
  const perByte = peakMemory(model, layout, { ...prior, extraStateBytes: 1 }) - base;
  return { ...prior, extraStateBytes: Math.max(0, (bytes - base) / perByte) };
}
