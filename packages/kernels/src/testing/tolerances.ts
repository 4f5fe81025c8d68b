/**
 * Largest `relativeError` of each op against the reference executor, over the cases of `opCases.ts` and all
 * instruction paths: about three times what was measured (in the comments), so that another compiler passes and a
 * wrong formula does not.
 */
export const tolerances: Readonly<Record<string, number>> = {
  add: 0, // one rounding of the same sum
  scale: 2e-7, // 9.3e-8, the factor rounded to fp32
  gelu: 1.5e-6, // 4.3e-7, at x = -5 relative to gelu(-5): the argument of exp is rounded
  geluGrad: 1.5e-6, // 4.4e-7, likewise
  swiglu: 3e-7, // 6.3e-8
  swigluGrad: 4e-7, // 1.2e-7
  blend: 3e-7, // 7.9e-8
  blendGrad: 1e-7, // 0
  addBias: 0,
  scaleColumns: 0,
  columnSum: 7e-7, // 2.3e-7
  embedding: 3e-7, // 8.1e-8
  embeddingGrad: 5e-7, // 1.6e-7
  gatherRows: 0,
  layerNorm: 7e-7, // 2.4e-7
  layerNormGrad: 1e-6, // 3.2e-7
  rmsNorm: 5e-7, // 1.6e-7
  rmsNormGrad: 4e-7, // 1.2e-7
  normParameterGrad: 8e-7, // 2.5e-7
  rotary: 4e-7, // 1.1e-7
  causalAttention: 1e-6, // 3.0e-7
  causalAttentionGrad: 2.5e-6, // 7.7e-7
};
