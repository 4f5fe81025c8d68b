import type { Cluster } from "./device.ts";
import type { Layout } from "./layout.ts";
import { type ClusterModel, parameterBuckets } from "./shape.ts";

/** The ways in which published numbers count a step's FLOPs, per token. */
export interface FlopConventions {
  /** 6 N, N with embeddings. */
  sixN: number;
  /** 6 N + 12 L C T: full attention (MPT, NeMo, PaLM's MFU). */
  fullAttention: number;
  /** 6 N + 6 L C T: causal half (AutoModel). */
  causalAttention: number;
  /** 72 L C^2 (1 + T/6C + V/16LC): Megatron without recomputation. */
  megatron: number;
  /** 96 of the same: the replayed forward pass counted as work (the papers of 2021 and 2022). */
  megatronRecompute: number;
}

/** FLOPs a token by every convention. Active parameters count where experts are routed. */
export function flopsPerToken(m: ClusterModel): FlopConventions {
  const { numLayers: L, residualDim: C, seqLen: T, vocabSize: V } = m;
  const { active } = parameterBuckets(m);
  const inner = m.numHeads * m.headDim;
  const form = L * C * C * (1 + T / (6 * C) + V / (16 * L * C));
  return {
    sixN: 6 * active,
    fullAttention: 6 * active + 12 * L * inner * T,
    causalAttention: 6 * active + 6 * L * inner * T,
    megatron: 72 * form,
    megatronRecompute: 96 * form,
  };
}

/** TFLOP/s of one GPU under a convention, from the seconds of a step; divide by the peak for the MFU of that convention. */
export function teraflops(m: ClusterModel, l: Layout, c: Cluster, seconds: number): FlopConventions {
  const scale = (l.globalBatchSize * m.seqLen) / (seconds * c.numGpus * 1e12);
  const perToken = flopsPerToken(m);
  return {
    sixN: perToken.sixN * scale,
    fullAttention: perToken.fullAttention * scale,
    causalAttention: perToken.causalAttention * scale,
    megatron: perToken.megatron * scale,
    megatronRecompute: perToken.megatronRecompute * scale,
  };
}
