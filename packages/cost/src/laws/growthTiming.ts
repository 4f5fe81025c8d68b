import { linearLeastSquares, type LinearFit } from "./linearLeastSquares.ts";
import { publishedTiming, type TimingRow } from "./publishedTiming.ts";
import { clampToFit, warningsOfInputs } from "./range.ts";

type Variant = TimingRow["variant"];

/** Share of the tokens in which growth with a boundary operator recovers; the best of a few for rows left out of the fit. */
const RECOVERY = 0.12;

/** Features of the gain; the share is that after growth. */
function features(variant: Variant, share: number, tokensPerParameter: number): number[] {
  if (variant === "plain") return [1, share, share ** 2];
  const overtraining = Math.log(tokensPerParameter / 6);
  const recovered = 1 - Math.exp(-share / RECOVERY);
  return [recovered, recovered * overtraining, share, share * overtraining];
}

const gains = (rows: readonly TimingRow[]) =>
  rows.flatMap(({ variant, tokensPerParameter, losses }) => {
    const [, without] = losses[0]!;
    return losses.slice(1).map(([share, loss]) => ({ features: features(variant, share, tokensPerParameter), gain: without - loss }));
  });

const fit = (rows: readonly TimingRow[]) => {
  const cells = gains(rows);
  return linearLeastSquares(cells.map((cell) => cell.features), cells.map((cell) => cell.gain));
};

export interface GrowthTiming {
  variant: Variant;
  coefficients: readonly number[];
  /** Gains that were fitted, and how far the law is from them: root mean square, nats. */
  cells: number;
  residualStd: number;
  /** The same for each row predicted from the others. */
  heldOutStd: number;
  /** Nats that growth with this share of the tokens left lies below no growth at equal FLOPs; 80 % interval. */
  gain(shareAfter: number, tokensPerParameter?: number): { nats: number; interval: [number, number]; warnings: readonly string[] };
  /** The share of tokens after growth with the highest gain, and all shares whose gain is within one standard error of it. */
  best(tokensPerParameter?: number): { shareAfter: number; flat: [number, number]; nats: number; warnings: readonly string[] };
}

/** 80 % of a normal distribution. */
const Z80 = 1.2816;

/**
 * The timing of late depth growth at equal FLOPs, fitted to the published tables. Plain models:
 * `gain = -j + a r + b r^2`, r the share of tokens after growth, j what growing at all costs. With a boundary operator:
 * `gain = (1 - e^(-r / 0.12)) (a + b t) + r (c + d t)`, t = ln(tokens a parameter of the small model / 6): the more it is
 * over-trained, the more growth gains and the earlier it should come. Inputs outside the tables are clamped and said so.
 */
export function growthTiming(variant: Variant): GrowthTiming {
  const rows = publishedTiming.filter((row) => row.variant === variant);
  const law: LinearFit = fit(rows);
  const heldOut = rows.flatMap((row) => {
    const others = fit(rows.filter((other) => other !== row));
    return gains([row]).map((cell) => others.predict(cell.features).value - cell.gain);
  });
  const tpp = rows.map((row) => row.tokensPerParameter);
  const range = { share: [0.1, variant === "plain" ? 0.8 : 0.4], tpp: [Math.min(...tpp), Math.max(...tpp)] } as const;
  const heldOutStd = Math.sqrt(heldOut.reduce((sum, e) => sum + e ** 2, 0) / heldOut.length);
  const predict = (share: number, t: number) => law.predict(features(variant, share, t));
  return {
    variant,
    coefficients: law.coefficients,
    cells: heldOut.length,
    residualStd: law.residualStd,
    heldOutStd,
    gain(shareAfter, tokensPerParameter = range.tpp[0]) {
      const share = clampToFit("growthTiming", "share after growth", shareAfter, range.share);
      const t = clampToFit("growthTiming", "tokens a parameter", tokensPerParameter, range.tpp);
      const { value } = predict(share.value, t.value);
      return { nats: value, interval: [value - Z80 * heldOutStd, value + Z80 * heldOutStd], warnings: warningsOfInputs(share, t) };
    },
    best(tokensPerParameter = range.tpp[0]) {
      const t = clampToFit("growthTiming", "tokens a parameter", tokensPerParameter, range.tpp);
      const [low, high] = range.share;
      const grid = Array.from({ length: 141 }, (_, i) => low + ((high - low) * i) / 140);
      const at = grid.map((share) => ({ share, ...predict(share, t.value) }));
      const top = at.reduce((a, b) => (b.value > a.value ? b : a));
      const near = at.filter(({ value }) => value >= top.value - top.standardError).map(({ share }) => share);
      return { shareAfter: top.share, flat: [near[0]!, near.at(-1)!], nats: top.value, warnings: warningsOfInputs(t) };
    },
  };
}
