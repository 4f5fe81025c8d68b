import { allGatherSeconds, allReduceSeconds, dispatchCopies, dispatchSeconds, group } from "./collectives.ts";
import type { StepConstants } from "./constants.ts";
import type { Cluster } from "./device.ts";
import { gemmSeconds } from "./gemm.ts";
import type { Layout } from "./layout.ts";
import { type ClusterModel, qkvDim } from "./shape.ts";

/** Seconds of one layer for one micro-batch on one rank, without waiting; forward and backward apart. */
export interface LayerSeconds {
  productsForward: number;
  productsInputGradient: number;
  productsWeightGradient: number;
  attentionForward: number;
  attentionBackward: number;
  elementForward: number;
  elementBackward: number;
  /** Exposed tensor-parallel collectives of one forward pass; the backward pass has as many. */
  tensorForward: number;
  /** Exposed ring exchange of keys and values. */
  contextForward: number;
  contextBackward: number;
  /** Dispatch and combine of routed tokens, one forward pass. */
  expertForward: number;
}

/** Tokens that fill half of flash attention's rate: short sequences leave multiprocessors idle. */
const ATTENTION_HALF_LENGTH = 512;

/** Collectives beside products cut these into chunks, which costs about half of what hiding gains. */
const CHUNKED_OVERLAP = 0.5;

/** FlashAttention-2 over the Triton kernel before it: 1.3 to 1.5 times (Dao 2023, arXiv:2307.08691). */
const TRITON_SLOWER = 1.4;

/** Bytes of element-wise work of one token in one layer, forward: [whole, divided by tensor]. */
function elementBytes(m: ClusterModel, l: Layout): [number, number] {
  const { residualDim: C } = m;
  const norms = 2 * (2 + 2) * C; // two norms: read and write
  const adds = 2 * (2 + 2 + 2 + 1) * C; // two residual adds with dropout: read two, write one and a mask
  const mlp = (m.gated ? 3 * 2 : 2 * 2) * activeFfnDim(m); // gate: read two, write one; GELU: read one, write one
  const rotary = 2 * 2 * qkvDim(m); // rotary encoding and the layout of heads
  const scores = l.attention === "unfused" ? 9 * m.numHeads * m.seqLen : 0; // softmax, dropout: read, write, mask
  // Inputs of products: read two, write one; with dynamic scales read two for the maximum and write a transposed copy too.
  const casts = l.precision === "fp8" ? (l.fp8Scaling === "dynamic" ? 7 : 3) * (2 * C + qkvDim(m) + activeFfnDim(m)) : 0;
  return [norms + adds, mlp + rotary + scores + casts];
}

/** H that a token meets, averaged over layers. */
function activeFfnDim(m: ClusterModel): number {
  const e = m.experts;
  if (!e) return m.ffnDim;
  const share = e.numMoeLayers / m.numLayers;
  return m.ffnDim * (1 - share) + (e.topK * e.ffnDim + e.sharedFfnDim) * share;
}

/** One layer, averaged over dense and routed layers. */
export function layerSeconds(m: ClusterModel, l: Layout, c: Cluster, k: StepConstants): LayerSeconds {
  const { device } = c;
  const { residualDim: C, headDim: D } = m;
  const tokens = (l.microBatchSize * m.seqLen) / l.context;
  const rate = (l.precision === "fp8" ? device.matmulFp8Tflops! : device.matmulTflops) * 1e12 * k.matmulShare;
  const bytes = l.precision === "fp8" ? 1 : 2;

  let productsForward = 0;
  let productsInputGradient = 0;
  let productsWeightGradient = 0;
  const product = (rows: number, inDim: number, outDim: number, count: number, share = 1) => {
    productsForward += share * gemmSeconds(device, rate, rows, outDim, inDim, count, bytes);
    productsInputGradient += share * gemmSeconds(device, rate, rows, inDim, outDim, count, bytes);
    productsWeightGradient += share * gemmSeconds(device, rate, inDim, outDim, rows, count, bytes);
  };
  product(tokens, C, qkvDim(m) / l.tensor, 1);
  product(tokens, (m.numHeads * D) / l.tensor, C, 1);
  const mlp = (rows: number, H: number, count: number, share: number) => {
    product(rows, C, ((m.gated ? 2 : 1) * H) / l.tensor, count, share);
    product(rows, H / l.tensor, C, count, share);
  };
  const e = m.experts;
  const moeShare = e ? e.numMoeLayers / m.numLayers : 0;
  if (moeShare < 1) mlp(tokens, m.ffnDim, 1, 1 - moeShare);
  let expertForward = 0;
  if (e) {
    const local = e.numExperts / l.expert;
    if (e.sharedFfnDim > 0) mlp(tokens, e.sharedFfnDim, 1, moeShare);
    mlp((tokens * e.topK) / local, e.ffnDim, local, moeShare);
    const copies = dispatchCopies(l.expert, c.nodeSize, e.topK, l.expertDispatch === "deduplicated");
    expertForward = moeShare * 2 * dispatchSeconds(c, l.expert, tokens, (C * 2) / (l.sequenceParallel ? l.tensor : 1), copies, k);
  }

  const heads = m.numHeads / l.tensor;
  let attentionForward: number;
  let attentionBackward: number;
  if (l.attention !== "unfused") {
    // Causal: half of the scores. Forward 2 T^2 N D a sequence, backward five products in place of two.
    const flops = (2 * m.seqLen * m.seqLen * heads * D * l.microBatchSize) / l.context;
    const length = m.seqLen / l.context;
    const flashRate = device.attentionTflops * 1e12 * k.attentionShare * (Math.min(D, 128) / 128) ** 0.5;
    const slower = l.attention === "flashTriton" ? TRITON_SLOWER : 1;
    attentionForward = ((slower * flops) / flashRate) * (1 + ATTENTION_HALF_LENGTH / length);
    attentionBackward = 2.5 * attentionForward;
  } else {
    const batch = heads * l.microBatchSize;
    const T = m.seqLen;
    const dense = device.matmulTflops * 1e12 * k.matmulShare;
    attentionForward = gemmSeconds(device, dense, T, T, D, batch) + gemmSeconds(device, dense, T, D, T, batch);
    attentionBackward = 2 * attentionForward;
  }

  const [whole, divided] = elementBytes(m, l);
  const memory = device.memoryGbPerSecond * 1e9 * k.memoryShare;
  const elementForward = ((l.kernels === "eager" ? k.eagerBytes : 1) * tokens * (whole / (l.sequenceParallel ? l.tensor : 1) + divided / l.tensor)) / memory;

  const message = tokens * C * 2;
  const tensor = group(c, l.tensor, 1, k);
  // Sequence parallelism splits each all-reduce into a gather and a scatter of the same volume.
  const collective = l.sequenceParallel ? 2 * allGatherSeconds(tensor, message) : allReduceSeconds(tensor, message);
  const tensorForward = 2 * collective * (l.overlapTensor ? 1 - CHUNKED_OVERLAP : 1);

  let contextForward = 0;
  let contextBackward = 0;
  if (l.context > 1) {
    const ring = group(c, l.context, l.tensor, k);
    const kv = (tokens * 2 * m.numKvHeads * D * 2) / l.tensor;
    const exchange = (l.context - 1) * (kv / ring.bandwidth + ring.latency / ring.size);
    const hidden = (work: number, wait: number) => Math.max(0, wait - work) + (1 - k.overlapShare) * Math.min(work, wait);
    contextForward = hidden(attentionForward, exchange);
    contextBackward = hidden(attentionBackward, 2 * exchange);
  }
  return {
    productsForward, productsInputGradient, productsWeightGradient, attentionForward, attentionBackward,
    elementForward, elementBackward: 2 * elementForward, tensorForward, contextForward, contextBackward, expertForward,
  };
}
