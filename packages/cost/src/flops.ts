import { type ModelConfig, trainingFlopsPerToken } from "@espalier/spec/model";

/** 1e21 FLOPs, the unit of the paper's cost column. */
export const ZETTA = 1e21;

/** Shape of a dense GPT with a 4h MLP, in the letters of the Megatron formula. */
export interface MegatronShape {
  /** L */
  numLayers: number;
  /** h */
  hiddenSize: number;
  /** s */
  seqLen: number;
  /** V */
  vocabSize: number;
}

/** c of the Megatron formula: 72 keeps activations, 96 runs every forward pass twice. */
export type Recomputation = "none" | "full";

/**
 * Training FLOPs of a dense GPT: `F = c T L h^2 (1 + s/(6h) + V/(16 L h))`, c = 72 without and 96 with full activation
 * recomputation, T tokens (multiply-add = 2, full attention scores).
 *
 * @param tokens T
 * @see Narayanan et al. 2021, arXiv:2104.04473, equation 3 and appendix
 */
export function megatronFlops(
  { numLayers: L, hiddenSize: h, seqLen: s, vocabSize: V }: MegatronShape,
  tokens: number,
  recomputation: Recomputation = "none",
): number {
  const c = recomputation === "full" ? 96 : 72;
  return c * tokens * L * h * h * (1 + s / (6 * h) + V / (16 * L * h));
}

/** Both ends of the recomputation range, and the middle and half-width that the paper prints as `mid (+-half)`. */
export interface FlopsRange {
  low: number;
  high: number;
  mid: number;
  half: number;
}

/** The range of training FLOPs when it is not known whether activations were recomputed. */
export function megatronFlopsRange(shape: MegatronShape, tokens: number): FlopsRange {
  const low = megatronFlops(shape, tokens, "none");
  const high = megatronFlops(shape, tokens, "full");
  return { low, high, mid: (low + high) / 2, half: (high - low) / 2 };
}

/** Parameters of the blocks without biases and norms: `12 L h^2`. */
export function blockParameters({ numLayers, hiddenSize }: Pick<MegatronShape, "numLayers" | "hiddenSize">): number {
  return 12 * numLayers * hiddenSize * hiddenSize;
}

/** Training FLOPs of stages in turn, by the exact per-token count of each stage's model. */
export function stagesFlops(stages: readonly { model: ModelConfig; tokens: number }[]): number {
  return stages.reduce((sum, { model, tokens }) => sum + trainingFlopsPerToken(model) * tokens, 0);
}
