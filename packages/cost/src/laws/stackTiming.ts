import { clampToFit, warningsOfInputs } from "./range.ts";

/** Tokens for the small model before depth stacking, with a warning where the law is used outside its fit. */
export interface StackTiming {
  /** With the inputs held to the fitted range. */
  tokens: number;
  /** With the inputs as given; equal to `tokens` inside the range. */
  extrapolatedTokens: number;
  insideFit: boolean;
  warnings: readonly string[];
}

/** Targets and budgets that the timing law was fitted on: 410M to 3B; least budget: 20 tokens a parameter of the smallest. */
const FIT = { parameters: [410e6, 3e9], flops: [2e19, 1.2e21] } as const;

/**
 * Growth timing of depth stacking: `log10 d = 0.88 log10 N + 163.27 / log10 C - 5.74`, d tokens for the small model,
 * N target parameters without embeddings, C training FLOPs in all. The authors' own examples lie beyond the budgets that
 * it was fitted to: both readings are given.
 *
 * @throws {RangeError} when an input is not above 0
 * @see Du et al. 2024, arXiv:2405.15319, equation 4
 */
export function stackTiming(targetParameters: number, flops: number): StackTiming {
  const law = (N: number, C: number) => 10 ** (0.88 * Math.log10(N) + 163.27 / Math.log10(C) - 5.74);
  const N = clampToFit("stackTiming", "target parameters", targetParameters, FIT.parameters);
  const C = clampToFit("stackTiming", "FLOPs", flops, FIT.flops);
  const warnings = warningsOfInputs(N, C);
  return { tokens: law(N.value, C.value), extrapolatedTokens: law(targetParameters, flops), insideFit: warnings.length === 0, warnings };
}
