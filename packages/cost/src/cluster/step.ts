import { allGatherSeconds, allReduceSeconds, group, type Group } from "./collectives.ts";
import type { StepConstants } from "./constants.ts";
import type { Cluster } from "./device.ts";
import { fittedConstants } from "./fitted.ts";
import { gemmSeconds } from "./gemm.ts";
import { layerSeconds, type LayerSeconds } from "./layer.ts";
import { expectLayout, type Layout, microBatches } from "./layout.ts";
import { type ClusterModel, parameterBuckets } from "./shape.ts";

/** A named share of the step; `seconds` of all parts sum to the total exactly. */
export interface StepPart {
  name: string;
  seconds: number;
  formula: string;
  source: string;
}

export interface ClusterStep {
  seconds: number;
  tokensPerSecondPerGpu: number;
  parts: readonly StepPart[];
}

const NARAYANAN = "Narayanan et al. 2021, arXiv:2104.04473";
const KORTHIKANTI = "Korthikanti et al. 2022, arXiv:2205.05198";

/** The parts of a step in seconds, in the order of `describe`. */
export type PartSeconds = readonly number[];

const describe: readonly Omit<StepPart, "seconds">[] = [
  { name: "matrix products", formula: "waves * SMs * tile * 2 (K + ramp) / rate, forward and both gradients", source: "best measured product of the device; vTrain's pairs for alignment" },
  { name: "attention core", formula: "flash: causal FLOPs / rate (1 + 512 / T), backward 2.5 times; unfused: batched products", source: "Dao 2023, arXiv:2307.08691" },
  { name: "element-wise operations", formula: "bytes / (bandwidth * share), backward twice", source: "reads and writes counted per token" },
  { name: "recomputation", formula: "the forward pass once more, or the chosen part of it", source: KORTHIKANTI },
  { name: "embedding, logits and loss", formula: "products C x V, and 16 bytes a logit", source: "reads and writes counted" },
  { name: "tensor parallel collectives", formula: "4 all-reduces of tokens * C a layer, 6 with full recomputation; half hidden where they run beside products", source: "Shoeybi et al. 2019, arXiv:1909.08053" },
  { name: "context parallel exchange", formula: "ring of keys and values, less what attention hides", source: "Liu et al. 2023, arXiv:2310.01889" },
  { name: "expert all-to-all", formula: "dispatch and combine of C * 2 bytes a copy of a token, forward and backward; one copy a node where deduplicated", source: "Lepikhin et al. 2020, arXiv:2006.16668" },
  { name: "host launches not hidden", formula: "max(0, launches - device time) a layer", source: "about 30 kernels a layer" },
  { name: "pipeline transfers", formula: "tokens * C * 2 bytes a boundary, forward and backward; mostly hidden when interleaved", source: NARAYANAN },
  { name: "pipeline bubble", formula: "(p - 1)/v of a micro-batch; zero-bubble: less twice the weight gradients, at least a forward pass", source: `${NARAYANAN}; Qi et al. 2023, arXiv:2401.10241` },
  { name: "data parallel collectives", formula: "gradients and weights, less what computation hides", source: "Rajbhandari et al. 2020, arXiv:1910.02054" },
  { name: "optimiser", formula: "30 bytes a parameter of this rank / bandwidth", source: "AdamW: gradient, two moments and master weights read, written; weights written" },
  { name: "step overhead", formula: "constant", source: "loading, gradient norm, logging" },
];

/** What one layer computes again in the backward pass of one micro-batch. */
export function replaySeconds(l: Layout, one: LayerSeconds): number {
  switch (l.recompute) {
    case "none":
      return 0;
    case "selective":
      return one.attentionForward + (l.attention === "unfused" ? one.elementForward / 2 : 0);
    case "alternate":
      return one.productsForward / 2 + one.elementForward;
    case "full":
      return one.productsForward + one.attentionForward + one.elementForward;
  }
}

/** Logits and loss of one micro-batch on the last stage: a product and its two gradients, and 16 bytes a logit. */
export function logitSeconds(m: ClusterModel, l: Layout, { device }: Cluster, k: StepConstants): number {
  const tokens = (l.microBatchSize * m.seqLen) / l.context;
  const rate = device.matmulTflops * 1e12 * k.matmulShare;
  const vocab = m.vocabSize / l.tensor;
  return (
    gemmSeconds(device, rate, tokens, vocab, m.residualDim) +
    gemmSeconds(device, rate, tokens, m.residualDim, vocab) +
    gemmSeconds(device, rate, m.residualDim, vocab, tokens) +
    (16 * tokens * vocab) / (device.memoryGbPerSecond * 1e9 * k.memoryShare)
  );
}

/** Waiting for one micro-batch to cross the boundaries of one rank, forward and backward. */
export function transferSeconds(m: ClusterModel, l: Layout, c: Cluster, k: StepConstants): number {
  if (l.pipeline === 1) return 0;
  // Ranks are numbered tensor first, then context, data, pipeline last.
  const boundary = group(c, l.pipeline, l.tensor * l.context * l.data, k);
  const sent = (((l.microBatchSize * m.seqLen) / l.context) * m.residualDim * 2) / l.tensor;
  const link = Math.min(c.interNodeBytesPerSecond * k.interShare, boundary.bandwidth);
  // Interleaved schedules send beside the computation of another piece.
  const exposed = l.schedule === "interleaved" ? 1 - k.overlapShare : 1;
  return exposed * 2 * l.virtualStages * (sent / link + k.interHopSeconds);
}

/** Host time of one layer that no device work hides: the backward pass launches about one and a half times what the forward pass does, a replay the forward's once more. */
export function hostSeconds(l: Layout, k: StepConstants, deviceSeconds: number): number {
  return Math.max(0, k.layerHostSeconds * (l.recompute === "full" ? 3.5 : 2.5) - deviceSeconds);
}

/** Seconds of every part of one step on the slowest pipeline stage; no checks. `one`: its layer, where a search has it. */
export function stepSeconds(m: ClusterModel, l: Layout, c: Cluster, k: StepConstants, one: LayerSeconds = layerSeconds(m, l, c, k)): PartSeconds {
  const micro = microBatches(l);
  const layers = Math.ceil(m.numLayers / l.pipeline);
  const { device } = c;
  const memory = device.memoryGbPerSecond * 1e9 * k.memoryShare;
  const buckets = parameterBuckets(m);

  const products = one.productsForward + one.productsInputGradient + one.productsWeightGradient;
  const attention = one.attentionForward + one.attentionBackward;
  const elements = one.elementForward + one.elementBackward;
  const again = replaySeconds(l, one);
  const full = l.recompute === "full";
  const tensor = one.tensorForward * (full ? 3 : 2);
  const context = one.contextForward * (full ? 2 : 1) + one.contextBackward;
  const expert = one.expertForward * (full ? 3 : 2);
  const device1 = products + attention + elements + again + tensor + context + expert;
  const host = hostSeconds(l, k, device1);
  const logits = logitSeconds(m, l, c, k);
  const stage = layers * (device1 + host) + logits;
  const mean = (m.numLayers * (device1 + host) + logits) / l.pipeline;

  const transfers = transferSeconds(m, l, c, k);
  const weightGradients = (m.numLayers * one.productsWeightGradient) / l.pipeline;
  const forward = (m.numLayers * (one.productsForward + one.attentionForward + one.elementForward + one.tensorForward + one.contextForward + one.expertForward)) / l.pipeline;
  const bubble =
    l.pipeline === 1
      ? 0
      : l.schedule === "zeroBubble"
        ? (l.pipeline - 1) * Math.max(forward, mean - 2 * weightGradients)
        : ((l.pipeline - 1) / l.virtualStages) * (mean + transfers);

  const replicated = layers * ((buckets.attention + buckets.mlp) / l.tensor + buckets.replicated) + buckets.table / l.tensor;
  const routed = (layers * buckets.routed) / (l.tensor * l.expert);
  const ranks = l.data * l.context;
  const reduce = group(c, ranks, l.tensor, k);
  const expertReduce = group(c, Math.max(1, ranks / l.expert), l.tensor * l.expert, k);
  const hide = (work: number, wait: number) => Math.max(0, wait - work) + (1 - k.overlapShare) * Math.min(work, wait);
  const shards = l.shardRanks > 0 ? Math.min(l.shardRanks, ranks) : ranks;
  let data = 0;
  if (ranks > 1) {
    const over = (g: Group, e: Group, f: (g: Group, bytes: number) => number, bytes: number) =>
      f(g, replicated * bytes) + (routed > 0 ? f(e, routed * bytes) : 0);
    const reduceAll = (f: (g: Group, bytes: number) => number) => over(reduce, expertReduce, f, l.gradientBytes);
    const shardGroup = shards === ranks ? reduce : group(c, shards, l.tensor, k);
    const gather = over(shardGroup, shards === ranks ? expertReduce : shardGroup, allGatherSeconds, 2);
    // FSDP moves weights and gradients once a micro-batch, layer by layer; weights twice when the forward pass frees them.
    // Beside a pipeline it keeps weights for the step and reduces after the last micro-batch.
    const everyMicroBatch = l.sharding === "full" || (l.sharding === "gradients" && l.pipeline === 1);
    const rounds = everyMicroBatch ? micro : 1;
    const gathers = l.sharding === "none" ? 0 : l.sharding === "full" ? 2 : 1;
    const scattered = l.sharding !== "none" && shards === ranks;
    const gradients = reduceAll(scattered ? allGatherSeconds : allReduceSeconds) + (everyMicroBatch ? layers * reduce.latency : 0);
    const weights = gathers * (gather + (everyMicroBatch ? layers * shardGroup.latency : 0));
    if (l.overlapData === "all") data = rounds * hide(stage, gradients + weights);
    else if (l.overlapData === "gradients") data = rounds * (hide(stage, gradients) + weights);
    else data = rounds * (gradients + weights);
  }
  const owned = l.sharding === "none" ? replicated + routed : replicated / shards + routed / Math.max(1, shards / l.expert);
  const optimizer = (30 * owned) / memory;

  const perLayer = micro * layers;
  return [
    perLayer * products, perLayer * attention, perLayer * elements, perLayer * again, micro * logits, perLayer * tensor,
    perLayer * context, perLayer * expert, perLayer * host, micro * transfers, bubble, data, optimizer, k.stepHostSeconds,
  ];
}

/** Sum of the parts, in their order. */
export function sumParts(parts: PartSeconds): number {
  let total = 0;
  for (let i = 0; i < parts.length; i++) total += parts[i]!;
  return total;
}

/**
 * Seconds of one training step on a cluster: the sum of its named parts on the slowest pipeline stage.
 *
 * @param k  constants; those fitted to published runs, or a calibration's
 * @throws {ConfigError} when the layout does not divide model, batch or cluster
 */
export function predictClusterStep(m: ClusterModel, l: Layout, c: Cluster, k: StepConstants = fittedConstants): ClusterStep {
  expectLayout(m, l, c);
  const seconds = stepSeconds(m, l, c, k);
  const total = sumParts(seconds);
  return {
    seconds: total,
    tokensPerSecondPerGpu: (l.globalBatchSize * m.seqLen) / (total * c.numGpus),
    parts: describe.map((part, i) => ({ ...part, seconds: seconds[i]! })),
  };
}
