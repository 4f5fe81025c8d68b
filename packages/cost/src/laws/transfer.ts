import { type GrowthEffects, predictedEqualLossSaving } from "./growthLaw.ts";

/** A measured one-hop growth: FLOPs(scratch) / FLOPs(grown) - 1 at equal loss, in percent. */
export interface MeasuredGrowth {
  smallParameters: number;
  smallTokens: number;
  targetParameters: number;
  targetTokens: number;
  speedupPercent: number;
}

/**
 * Published speed-ups of depth stacking, g = 4, 10 billion tokens in the small model.
 *
 * Source: Du et al. 2024, arXiv:2405.15319.
 */
export const stackSpeedups: readonly MeasuredGrowth[] = (
  [
    [410e6, 400e9, 53.1],
    [410e6, 700e9, 31.0],
    [1.1e9, 100e9, 49.1],
    [3e9, 180e9, 48.6],
    [3e9, 240e9, 54.5],
    [7e9, 160e9, 40.8],
    [7e9, 220e9, 55.3],
    [7e9, 280e9, 53.8],
  ] as const
).map(([targetParameters, targetTokens, speedupPercent]) => ({
  smallParameters: targetParameters / 4,
  smallTokens: 10e9,
  targetParameters,
  targetTokens,
  speedupPercent,
}));

/** Speed-up in percent that the loss-matching law predicts for a one-hop growth. */
export function predictedSpeedup(growth: Omit<MeasuredGrowth, "speedupPercent">, effects: GrowthEffects = {}): number {
  const stages = [
    { parameters: growth.smallParameters, tokens: growth.smallTokens },
    { parameters: growth.targetParameters, tokens: growth.targetTokens },
  ];
  return 100 * (predictedEqualLossSaving(stages, effects) - 1);
}

/**
 * The transfer kappa that fits measured speed-ups best (least squares, by golden section on [-0.9, 4]): what the
 * loss-matching law lacks for an operator. It decays with over-training, which one constant cannot show: see
 * `fitLimitedTransfer`.
 */
export function fitTransfer(measured: readonly MeasuredGrowth[], effects: Omit<GrowthEffects, "transfer"> = {}): number {
  return smallest((transfer) => misses(measured, { ...effects, transfer }).reduce((sum, miss) => sum + miss ** 2, 0));
}

/** Points by which the law misses each measured speed-up. */
const misses = (measured: readonly MeasuredGrowth[], effects: GrowthEffects) => measured.map((row) => Math.abs(predictedSpeedup(row, effects) - row.speedupPercent));

/** The transfer in [-0.9, 4] at which a function with one valley is lowest. */
function smallest(f: (transfer: number) => number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let low = -0.9;
  let high = 4;
  while (high - low > 1e-9) {
    const a = high - ratio * (high - low);
    const b = low + ratio * (high - low);
    if (f(a) < f(b)) high = b;
    else low = a;
  }
  return (low + high) / 2;
}

/** Limits that are tried, tokens a parameter. */
const LIMITS = Array.from({ length: 81 }, (_, i) => 50 * 100 ** (i / 80));

/**
 * Transfer with a limit: kappa while the grown model is trained usually, and the tokens a parameter at which it is used up.
 * The pair whose largest miss is smallest, since nobody published the errors of these figures. Of the published stackings
 * only the over-trained 410M runs determine the limit.
 */
export function fitLimitedTransfer(measured: readonly MeasuredGrowth[], effects: Omit<GrowthEffects, "transfer" | "transferLimit"> = {}): Required<Pick<GrowthEffects, "transfer" | "transferLimit">> {
  let best = { transfer: 0, transferLimit: Infinity };
  let least = Infinity;
  for (const transferLimit of [Infinity, ...LIMITS]) {
    const worst = (transfer: number) => Math.max(...misses(measured, { ...effects, transfer, transferLimit }));
    const transfer = smallest(worst);
    if (worst(transfer) < least) [least, best] = [worst(transfer), { transfer, transferLimit }];
  }
  return best;
}
