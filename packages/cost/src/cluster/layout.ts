import { ConfigError } from "@espalier/core";
import type { Cluster } from "./device.ts";
import type { ClusterModel } from "./shape.ts";

/** How a model is spread over a cluster and how a step runs there. */
export interface Layout {
  tensor: number;
  pipeline: number;
  context: number;
  /** Expert parallelism, inside the data-parallel ranks. */
  expert: number;
  data: number;
  /** Sequences of one forward pass. */
  microBatchSize: number;
  /** Sequences of one step, over the cluster. */
  globalBatchSize: number;
  /** `interleaved`: each rank holds `virtualStages` pieces; `zeroBubble`: weight gradients fill the bubble. */
  schedule: "1f1b" | "interleaved" | "zeroBubble";
  virtualStages: number;
  /** Norms and residual adds are divided by `tensor` too. */
  sequenceParallel: boolean;
  /** What data-parallel ranks share out: nothing, optimiser state (ZeRO-1), gradients too (ZeRO-2 of FSDP), everything (ZeRO-3, FSDP). */
  sharding: "none" | "optimizer" | "gradients" | "full";
  /** `selective`: the attention core; `alternate`: every second product of a layer; `full`: the whole layer. */
  recompute: "none" | "selective" | "alternate" | "full";
  precision: "bf16" | "fp8";
  /** `flash`: FlashAttention-2; `flashTriton`: its predecessor in Triton; `unfused` keeps the T x T scores in memory. */
  attention: "flash" | "flashTriton" | "unfused";
  /** FP8 scales from earlier steps (Transformer Engine), or from each tensor as it comes, which reads it once more. */
  fp8Scaling: "delayed" | "dynamic";
  /** Element-wise operations: fused (Megatron, Transformer Engine, compiled) or one kernel each with casts (eager PyTorch). */
  kernels: "fused" | "eager";
  /** Bytes of a gradient in the reduction. */
  gradientBytes: 2 | 4;
  /** What runs beside computation: nothing, the reduction of gradients, or the gathering of weights too. */
  overlapData: "none" | "gradients" | "all";
  /** Ranks that share out optimiser state; 0: all data-parallel ranks. Fewer keep the gathers inside a node. */
  shardRanks: number;
  /** How tokens travel to experts: a copy an expert, or one a node and passed on inside (DeepEP, Megatron's flex dispatcher). */
  expertDispatch: "allToAll" | "deduplicated";
  /** Tensor-parallel collectives run beside products (asynchronous tensor parallelism). */
  overlapTensor: boolean;
}

/** The usual settings of a present-day run; the degrees and the batch are the caller's. */
export function layout(given: Pick<Layout, "globalBatchSize"> & Partial<Layout>): Layout {
  return {
    tensor: 1,
    pipeline: 1,
    context: 1,
    expert: 1,
    data: 1,
    microBatchSize: 1,
    schedule: (given.virtualStages ?? 1) > 1 ? "interleaved" : "1f1b",
    virtualStages: 1,
    sequenceParallel: (given.tensor ?? 1) > 1,
    sharding: "optimizer",
    recompute: "none",
    precision: "bf16",
    attention: "flash",
    fp8Scaling: "delayed",
    kernels: "fused",
    gradientBytes: 4,
    overlapData: "all",
    shardRanks: 0,
    expertDispatch: "deduplicated",
    overlapTensor: false,
    ...given,
  };
}

/** Micro-batches that one pipeline works through in a step. */
export function microBatches(l: Layout): number {
  return l.globalBatchSize / (l.data * l.microBatchSize);
}

/** A step of more sequences is a step whose tokens were counted: the largest cluster here has a million devices. */
const MOST_SEQUENCES = 4e5;

/** Every reason why a layout cannot run on a cluster, each with a way out; empty when it can. */
export function layoutProblems(m: ClusterModel, l: Layout, c: Cluster): string[] {
  const problems: string[] = [];
  const used = l.tensor * l.pipeline * l.context * l.data;
  const check = (fine: boolean, sentence: string) => fine || problems.push(`layout: ${sentence}`);
  const degrees = l.tensor * l.pipeline * l.context;
  const divides = c.numGpus % degrees === 0;
  check(divides || !Number.isInteger(degrees), `tensor x pipeline x context is ${degrees}, expected a divisor of the ${c.numGpus} GPUs. Change one of them.`);
  for (const name of ["tensor", "pipeline", "context", "expert", ...(divides ? (["data"] as const) : []), "microBatchSize", "globalBatchSize", "virtualStages"] as const) {
    check(Number.isInteger(l[name]) && l[name] > 0, `${name}: is ${l[name]}, expected a whole number above 0. Give a count.`);
  }
  check(l.globalBatchSize < MOST_SEQUENCES, `globalBatchSize: is ${l.globalBatchSize}, expected sequences. That looks like tokens; divide by ${m.seqLen}.`);
  check(used === c.numGpus || !divides, `tensor x pipeline x context x data is ${used}, expected the ${c.numGpus} GPUs. Change data to ${c.numGpus / degrees}.`);
  check(m.numHeads % l.tensor === 0, `tensor: is ${l.tensor}, expected a divisor of the ${m.numHeads} heads. Choose a divisor.`);
  check(m.ffnDim % l.tensor === 0, `tensor: is ${l.tensor}, expected a divisor of the MLP size ${m.ffnDim}. Choose a divisor.`);
  check(l.pipeline * l.virtualStages <= m.numLayers, `pipeline: has ${l.pipeline * l.virtualStages} pieces, expected at most the ${m.numLayers} layers. Use fewer.`);
  check(m.seqLen % l.context === 0, `context: is ${l.context}, expected a divisor of the ${m.seqLen} tokens. Choose a divisor.`);
  check(Number.isInteger(microBatches(l)), `globalBatchSize: ${l.globalBatchSize} sequences over data ${l.data} x micro-batch ${l.microBatchSize} is not whole. Choose a batch that they divide.`);
  check(l.precision === "bf16" || c.device.matmulFp8Tflops !== undefined, `precision: is fp8, which ${c.device.id} does not have. Use bf16.`);
  if (m.experts) check(m.experts.numExperts % l.expert === 0, `expert: is ${l.expert}, expected a divisor of the ${m.experts.numExperts} experts. Choose a divisor.`);
  check((l.data * l.context) % l.expert === 0, `expert: is ${l.expert}, expected a divisor of data x context, ${l.data * l.context}. Experts are spread over data-parallel ranks.`);
  return problems;
}

/** @throws {ConfigError} with the first problem of `layoutProblems` */
export function expectLayout(m: ClusterModel, l: Layout, c: Cluster): void {
  const [first] = layoutProblems(m, l, c);
  if (first !== undefined) throw new ConfigError(first);
}
