import { type ModelConfig, numHeads } from "@espalier/spec/model";

/** Routed experts in place of the MLP of some layers. */
export interface ExpertShape {
  numExperts: number;
  /** Experts that a token visits. */
  topK: number;
  /** H of one expert. */
  ffnDim: number;
  /** H of the expert that every token visits; 0 for none. */
  sharedFfnDim: number;
  /** Layers with routed experts; the others keep the dense MLP. */
  numMoeLayers: number;
}

/** A transformer as the cost of a step sees it. Axis letters: L, C, H, N, G, D, V, T. */
export interface ClusterModel {
  numLayers: number;
  residualDim: number;
  ffnDim: number;
  numHeads: number;
  numKvHeads: number;
  headDim: number;
  vocabSize: number;
  seqLen: number;
  /** SwiGLU: three matrices of C x H in place of two. */
  gated: boolean;
  tiedHead: boolean;
  experts?: ExpertShape;
}

/** The shape of a configuration of ours. */
export function clusterModel(config: ModelConfig): ClusterModel {
  return {
    numLayers: config.numLayers,
    residualDim: config.residualDim,
    ffnDim: config.ffnDim,
    numHeads: numHeads(config),
    numKvHeads: config.numKvHeads,
    headDim: config.headDim,
    vocabSize: config.vocabSize,
    seqLen: config.seqLen,
    gated: config.family === "llama",
    tiedHead: config.tiedHead,
  };
}

/** Columns of the fused query, key and value product: (N + 2G) D. */
export function qkvDim({ numHeads, numKvHeads, headDim }: ClusterModel): number {
  return (numHeads + 2 * numKvHeads) * headDim;
}

/** Parameters by what shards them: the three buckets of mixture-of-experts, and the tables at both ends. */
export interface ParameterBuckets {
  /** Matrices of one layer that tensor parallelism divides. */
  attention: number;
  /** Dense (or shared) MLP matrices of one layer, of all layers divided by L when layers differ. */
  mlp: number;
  /** Norms and router of one layer, whole on every tensor rank. */
  replicated: number;
  /** Routed experts of one layer (mean over layers), divided by expert and tensor parallelism. */
  routed: number;
  /** One V x C table. */
  table: number;
  total: number;
  /** Parameters that a token meets: routed experts count topK / numExperts. */
  active: number;
}

export function parameterBuckets(m: ClusterModel): ParameterBuckets {
  const { numLayers: L, residualDim: C, experts } = m;
  const matrices = m.gated ? 3 : 2;
  const moeShare = experts ? experts.numMoeLayers / L : 0;
  const attention = C * qkvDim(m) + m.numHeads * m.headDim * C;
  const mlp = matrices * C * (m.ffnDim * (1 - moeShare) + (experts?.sharedFfnDim ?? 0) * moeShare);
  const routed = experts ? matrices * C * experts.ffnDim * experts.numExperts * moeShare : 0;
  const replicated = 2 * C + (experts ? C * experts.numExperts * moeShare : 0);
  const table = m.vocabSize * C;
  const ends = table * (m.tiedHead ? 1 : 2) + C;
  const total = L * (attention + mlp + routed + replicated) + ends;
  const active = total - L * routed * (experts ? 1 - experts.topK / experts.numExperts : 0);
  return { attention, mlp, replicated, routed, table, total, active };
}
