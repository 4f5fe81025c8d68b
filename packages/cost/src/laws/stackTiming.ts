/** Tokens for the small model before depth stacking, with a warning where the law is extrapolated. */
export interface StackTiming {
  tokens: number;
  /** The law was fitted inside this target and budget. */
  insideFit: boolean;
}

/** Targets and budgets that the timing law was fitted on: 410M to 3B, up to 1.2e21 FLOPs. */
const FIT = { parameters: [410e6, 3e9], flops: 1.2e21 } as const;

/**
 * Growth timing of depth stacking: `log10 d = 0.88 log10 N + 163.27 / log10 C - 5.74`, d tokens for the small model,
 * N target parameters without embeddings, C training FLOPs in all.
 *
 * @see Du et al. 2024, arXiv:2405.15319, equation 4
 */
export function stackTiming(targetParameters: number, flops: number): StackTiming {
  const tokens = 10 ** (0.88 * Math.log10(targetParameters) + 163.27 / Math.log10(flops) - 5.74);
  const insideFit =
    targetParameters >= FIT.parameters[0] && targetParameters <= FIT.parameters[1] && flops <= FIT.flops;
  return { tokens, insideFit };
}
