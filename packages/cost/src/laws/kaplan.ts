/** Constants of Kaplan et al. 2020, arXiv:2001.08361: WebText2, byte-pair vocabulary of 50,257, nats per token. */
export const kaplan = {
  alphaN: 0.076,
  /** Parameters without embeddings. */
  Nc: 8.8e13,
  alphaD: 0.095,
  Dc: 5.4e13,
  alphaC: 0.05,
  /** PF-days of compute at the critical batch or below. */
  Cc: 3.1e8,
  alphaS: 0.76,
  Sc: 2.1e3,
  alphaB: 0.21,
  /** Tokens. */
  Bstar: 2e8,
  /** The joint fit over N and D has constants of its own. */
  joint: { alphaN: 0.076, Nc: 6.4e13, alphaD: 0.103, Dc: 1.8e13 },
} as const;

/** Loss of a model trained to convergence: `(Nc / N)^alphaN`, N without embeddings. */
export function kaplanLossOfParameters(parameters: number): number {
  return (kaplan.Nc / parameters) ** kaplan.alphaN;
}

/** Loss of a large model stopped early on D tokens: `(Dc / D)^alphaD`. */
export function kaplanLossOfTokens(tokens: number): number {
  return (kaplan.Dc / tokens) ** kaplan.alphaD;
}

/** Loss at the best size for a compute budget in PF-days (8.64e19 FLOPs): `(Cc / C)^alphaC`. */
export function kaplanLossOfCompute(pfDays: number): number {
  return (kaplan.Cc / pfDays) ** kaplan.alphaC;
}

/** Loss of N parameters on D tokens: `[(Nc / N)^(alphaN / alphaD) + Dc / D]^alphaD`, constants of the joint fit. */
export function kaplanLoss(parameters: number, tokens: number): number {
  const { alphaN, Nc, alphaD, Dc } = kaplan.joint;
  return ((Nc / parameters) ** (alphaN / alphaD) + Dc / tokens) ** alphaD;
}

/** Batch in tokens at which time and compute are traded evenly: `B* / L^(1 / alphaB)`. */
export function criticalBatchTokens(loss: number): number {
  return kaplan.Bstar / loss ** (1 / kaplan.alphaB);
}

/** Loss after S steps of B tokens: `(Nc / N)^alphaN + (Sc / Smin)^alphaS`, `Smin = S / (1 + Bcrit / B)`, Bcrit at that loss. */
export function kaplanLossOfSteps(parameters: number, steps: number, batchTokens: number): number {
  const floor = kaplanLossOfParameters(parameters);
  let loss = floor + (kaplan.Sc / steps) ** kaplan.alphaS;
  // Bcrit depends on the loss; the map contracts, since a higher loss needs a smaller batch.
  for (let i = 0; i < 60; i++) {
    const least = steps / (1 + criticalBatchTokens(loss) / batchTokens);
    loss = (loss + floor + (kaplan.Sc / least) ** kaplan.alphaS) / 2;
  }
  return loss;
}
