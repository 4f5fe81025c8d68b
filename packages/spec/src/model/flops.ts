import { type ModelConfig, numHeads } from "./config.ts";
import { numMatmulParameters } from "./layout.ts";

/**
 * FLOPs of one forward pass, per token (multiply-add = 2; full attention scores, no causal discount; norms ignored):
 * `2 * numMatmulParameters + 4 * L * N * D * T`.
 *
 * @see Chowdhery et al. 2022, arXiv:2204.02311, appendix B
 */
export function forwardFlopsPerToken(config: ModelConfig): number {
  const { numLayers, headDim, seqLen } = config;
  return 2 * numMatmulParameters(config) + 4 * numLayers * numHeads(config) * headDim * seqLen;
}

/** FLOPs of one training step without recomputation, per token: three forward passes. */
export function trainingFlopsPerToken(config: ModelConfig): number {
  return 3 * forwardFlopsPerToken(config);
}
