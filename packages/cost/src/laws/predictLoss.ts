import { chinchillaLoss, epochChinchilla, roundedChinchilla, texChinchilla } from "./chinchilla.ts";
import { kaplanLoss } from "./kaplan.ts";
import { clampToFit, warningsOfInputs } from "./range.ts";

/** Static laws by name, each with the sizes and tokens of the runs that it was fitted to. */
export const staticLaws = {
  epoch: { loss: (N: number, D: number) => chinchillaLoss(N, D, epochChinchilla), parameters: [44e6, 16.2e9], tokens: [0.25e9, 500e9], source: "Besiroglu et al. 2024, arXiv:2404.10102" },
  rounded: { loss: (N: number, D: number) => chinchillaLoss(N, D, roundedChinchilla), parameters: [44e6, 16.2e9], tokens: [0.25e9, 500e9], source: "Hoffmann et al. 2022, arXiv:2203.15556" },
  tex: { loss: (N: number, D: number) => chinchillaLoss(N, D, texChinchilla), parameters: [44e6, 16.2e9], tokens: [0.25e9, 500e9], source: "Hoffmann et al. 2022, arXiv:2203.15556, TeX source" },
  /** Parameters without embeddings. */
  kaplan: { loss: kaplanLoss, parameters: [768, 1.5e9], tokens: [22e6, 23e9], source: "Kaplan et al. 2020, arXiv:2001.08361" },
} as const satisfies Record<string, { loss: (N: number, D: number) => number; parameters: readonly [number, number]; tokens: readonly [number, number]; source: string }>;

export type StaticLaw = keyof typeof staticLaws;

export interface LossPrediction {
  law: StaticLaw;
  /** Nats per token of the law's own corpus and tokeniser, with the inputs held to the fitted range. */
  loss: number;
  /** The same formula at the inputs as given; equal to `loss` inside the range. */
  extrapolated: number;
  /** What was outside of the range; empty inside. */
  warnings: readonly string[];
  source: string;
}

/**
 * Loss of N parameters on D tokens by a static law. Outside of the runs that the law was fitted to the inputs are clamped,
 * which the result says; the unclamped value stands beside it.
 *
 * @throws {RangeError} when an input is not above 0
 */
export function predictLoss(parameters: number, tokens: number, law: StaticLaw = "epoch"): LossPrediction {
  const { loss, source, ...range } = staticLaws[law];
  const N = clampToFit(law, "parameters", parameters, range.parameters);
  const D = clampToFit(law, "tokens", tokens, range.tokens);
  return { law, loss: loss(N.value, D.value), extrapolated: loss(parameters, tokens), warnings: warningsOfInputs(N, D), source };
}
