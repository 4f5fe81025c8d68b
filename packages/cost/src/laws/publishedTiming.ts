/**
 * Measured losses of late depth growth at equal FLOPs, FineWeb, nats per token: the released tables of arXiv 2609.19107,
 * github.com/qlabs-eng/scaling-exponents. The first entry of a row is the run without growth.
 */

/** One budget: a small model of `tokensPerParameter`, grown with a share of the tokens left. */
export interface TimingRow {
  variant: "plain" | "boundary";
  /** The authors' index of equal FLOPs. */
  budget: number;
  depth: number;
  /** Tokens a parameter that the small model would see without growth. */
  tokensPerParameter: number;
  losses: readonly (readonly [shareAfter: number, loss: number])[];
}

const row = (variant: TimingRow["variant"], budget: number, depth: number, tokensPerParameter: number, losses: readonly number[], extra: TimingRow["losses"] = []): TimingRow => ({
  variant, budget, depth, tokensPerParameter, losses: [...losses.map((loss, i) => [i / 10, loss] as const), ...extra],
});

export const publishedTiming: readonly TimingRow[] = [
  row("plain", 8, 8, 6, [3.2124, 3.2174, 3.2081, 3.2027, 3.1988, 3.1967, 3.1979, 3.1996, 3.2039]),
  row("plain", 9, 9, 6, [3.1351, 3.136, 3.1308, 3.1247, 3.1214, 3.1195, 3.1209, 3.1207, 3.1262]),
  row("plain", 10, 10, 6, [3.0406, 3.0399, 3.0325, 3.028, 3.0246, 3.0247, 3.0262, 3.0268, 3.0311]),
  row("boundary", 8, 8, 6, [3.1914, 3.1835, 3.1773, 3.1782, 3.1774]),
  row("boundary", 9, 9, 6, [3.1176, 3.1058, 3.1038, 3.1052, 3.1055]),
  row("boundary", 10, 10, 6, [3.0289, 3.0161, 3.0131, 3.0132, 3.0185]),
  row("boundary", 10.5, 8, 22.6, [3.0335, 3.0094, 3.0029, 2.9967, 2.9967], [[0.35, 2.9945]]),
  row("boundary", 10.5, 9, 13.9, [3.0173, 2.9968, 2.9897, 2.9866, 2.9857]),
  row("boundary", 10.5, 10, 7.4, [3.0015, 2.9869, 2.9839, 2.9823], [[0.25, 2.982]]),
];

/** Loss by the number of core passes after growth from two, equal rows of equal budget. */
export const publishedTargets: readonly { budget: number; losses: readonly (readonly [passes: number, loss: number])[] }[] = [
  { budget: 2.5, losses: [[3, 3.2548], [4, 3.2539], [6, 3.259], [8, 3.2658]] },
  { budget: 3, losses: [[3, 3.2495], [4, 3.2467], [6, 3.2538], [8, 3.2601]] },
  { budget: 3.5, losses: [[4, 3.2447], [6, 3.2471], [8, 3.2536]] },
  { budget: 4, losses: [[4, 3.2414], [6, 3.2437], [8, 3.2483]] },
];
