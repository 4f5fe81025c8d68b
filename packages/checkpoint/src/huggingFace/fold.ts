import { ConfigError } from "@espalier/core";
import type { ModelConfig } from "@espalier/spec/model";
import { splitName } from "./family.ts";

/**
 * The configuration without multipliers and muP, and the factor by which each parameter makes up for them: the embedding
 * for its own, the head (or, where it is tied, the final norm) for the logits', queries for the attention's beyond
 * 1/sqrt(D), block writes for the residual's.
 *
 * @throws {ConfigError} when the three norms differ in epsilon: the target has one
 */
export function foldMultipliers(config: ModelConfig): { config: ModelConfig; factor: (name: string) => number } {
  const { multipliers, headDim, normEpsilon, tiedHead } = config;
  if (normEpsilon.attention !== normEpsilon.final || normEpsilon.ffn !== normEpsilon.final) {
    throw new ConfigError(`export: norm epsilons are ${normEpsilon.attention}, ${normEpsilon.ffn} and ${normEpsilon.final}, expected one value. Train with one.`);
  }
  const attention = multipliers.attention * Math.sqrt(headDim);
  const logits = tiedHead ? multipliers.logits / multipliers.embedding : multipliers.logits;
  const factor = (name: string): number => {
    const { inner } = splitName(name);
    if (inner === "embedding.weight") return multipliers.embedding;
    if (inner === "head.weight") return logits;
    if (tiedHead && inner.startsWith("final.norm.")) return logits;
    if (inner.startsWith("attention.query.")) return attention;
    if (inner.startsWith("attention.output.") || inner.startsWith("ffn.down.")) return multipliers.residual;
    return 1;
  };
  const plain = { embedding: 1, logits: 1, attention: 1 / Math.sqrt(headDim), residual: 1 };
  return { config: { ...config, multipliers: plain, mup: null }, factor };
}
