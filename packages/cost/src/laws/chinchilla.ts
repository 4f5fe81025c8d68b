/** Constants of `L(N, D) = E + A / N^alpha + B / D^beta`, loss in nats per token of the law's own corpus and tokeniser. */
export interface ChinchillaConstants {
  E: number;
  A: number;
  B: number;
  alpha: number;
  beta: number;
}

/** Besiroglu et al. 2024, arXiv:2404.10102: a refit of the same data. The default: its optimum is consistent with the data. */
export const epochChinchilla: ChinchillaConstants = { E: 1.81686, A: 482.006, B: 2085.434, alpha: 0.34781, beta: 0.36585 };

/** Hoffmann et al. 2022, arXiv:2203.15556, approach 3, as printed. */
export const roundedChinchilla: ChinchillaConstants = { E: 1.69, A: 406.4, B: 410.7, alpha: 0.34, beta: 0.28 };

/** The same fit with the digits of the paper's TeX source. */
export const texChinchilla: ChinchillaConstants = {
  E: Math.exp(0.5267228),
  A: Math.exp(6.0073404),
  B: Math.exp(6.0179186),
  alpha: 0.33917084,
  beta: 0.2849083,
};

/** Predicted loss of a dense model of N parameters after D tokens. Do not compare over tokenisers or corpora. */
export function chinchillaLoss(parameters: number, tokens: number, c: ChinchillaConstants = epochChinchilla): number {
  return c.E + c.A / parameters ** c.alpha + c.B / tokens ** c.beta;
}

/**
 * The size and tokens with the lowest predicted loss for C = 6 N D training FLOPs:
 * `N* = G (C/6)^(beta/(alpha+beta))`, `D* = (C/6)^(alpha/(alpha+beta)) / G`, `G = (alpha A / (beta B))^(1/(alpha+beta))`.
 */
export function computeOptimal(
  flops: number,
  c: ChinchillaConstants = epochChinchilla,
): { parameters: number; tokens: number; loss: number } {
  const sum = c.alpha + c.beta;
  const G = ((c.alpha * c.A) / (c.beta * c.B)) ** (1 / sum);
  const parameters = G * (flops / 6) ** (c.beta / sum);
  const tokens = (flops / 6) ** (c.alpha / sum) / G;
  return { parameters, tokens, loss: chinchillaLoss(parameters, tokens, c) };
}
