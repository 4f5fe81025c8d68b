import { equalLossMultiplier, type LossPoint, savingFromMultiplier, savingFromSpeedup } from "./equalLoss.ts";
import { publishedLadders } from "./growthTrend.ts";

/**
 * Equal-loss saving of a grown run by two fixed-size runs: a power law `L = a C^-b` through the small and the large one
 * gives the FLOPs that a fixed size would need for the grown run's loss; saving = 1 - C_grown / C_fixed. What a saving
 * claimed at equal tokens is worth at equal loss.
 *
 * @throws {RangeError} when the larger run does not have the lower loss: the two points then say nothing about compute
 */
export function twoPointSaving(small: LossPoint, large: LossPoint, grown: LossPoint): number {
  if (!(large.flops > small.flops && large.loss < small.loss)) {
    throw new RangeError(`twoPointSaving: large: has ${large.flops} FLOPs and loss ${large.loss}, expected more FLOPs and less loss than small (${small.flops}, ${small.loss}). Order the runs.`);
  }
  const exponent = Math.log(small.loss / large.loss) / Math.log(large.flops / small.flops);
  return 1 - grown.flops / (large.flops * (large.loss / grown.loss) ** (1 / exponent));
}

/** Local exponent of loss over compute, plain transformer, 3e19 to 6e19 FLOPs (ladders of arXiv 2609.19107). */
const LOCAL_EXPONENT = 0.044;

/** Factor of compute that a relative gap in loss costs, `(1 + gap)^(1 / exponent)`: 0.5 % costs 1.12, 0.2 % costs 1.05. */
export function computeOfLossGap(relativeGap: number, exponent = LOCAL_EXPONENT): number {
  return (1 + relativeGap) ** (1 / exponent);
}

/** A published claim of what growth saves, as printed and as it reads at equal loss. */
export interface SavingClaim {
  work: string;
  scale: string;
  /** What it was compared with. */
  reference: string;
  claimed: string;
  /** Shares of FLOPs at equal loss, one a measured setting; empty where nothing was measured at equal loss. */
  savings: readonly number[];
  /** How the reading was computed, or why there is none. */
  reading: string;
}

const e20 = (flops: number, loss: number): LossPoint => ({ flops: flops * 1e20, loss });
const multipliers = (reference: readonly LossPoint[], method: readonly LossPoint[]) =>
  equalLossMultiplier(reference, method).flatMap(({ multiplier }) => (multiplier === null ? [] : [savingFromMultiplier(multiplier)]));

/** OLMoE, 0.5B active, 200B tokens, width grown by half: arXiv 2602.02472. Small run, then scratch and grown of each. */
const SPARKLING_SMALL = e20(5.4, 2.3673);
const SPARKLING: readonly (readonly [LossPoint, LossPoint])[] = [
  [e20(9.01, 2.3096), e20(7.21, 2.3153)],
  [e20(10.8, 2.2795), e20(8.1, 2.2933)],
  [e20(18, 2.2225), e20(11.7, 2.2415)],
];

/** Speed-ups of depth stacking in percent, FLOPs scratch / grown - 1: arXiv 2405.15319, 7B then 410M over-trained. */
const STACK_PERCENT = [54.6, 55.3, 53.8, 40.8, 31.0];

/** Published claims of growth re-read at equal loss, computed from their own figures; most telling first. */
export function honestSavings(): SavingClaim[] {
  return [
    { work: "late depth growth, plain (2609.19107)", scale: "5e17 to 6e19 FLOPs", reference: "tuned deep plain ladder", claimed: "none for growth alone", savings: multipliers(publishedLadders.deepPlain, publishedLadders.deepPlainGrown), reading: "equal-loss multiplier on its ladders" },
    { work: "the same with boundary operator", scale: "7e17 to 4e19 FLOPs", reference: "tuned plain ladder", claimed: "1.30x to 1.55x", savings: multipliers(publishedLadders.plain, publishedLadders.untiedGrown), reading: "equal-loss multiplier; growth and operator together" },
    { work: "the same, growth alone", scale: "7e17 to 8.5e19 FLOPs", reference: "untied, K = 2, same operator", claimed: "1.09x to 1.16x", savings: multipliers(publishedLadders.untied, publishedLadders.untiedGrown), reading: "equal-loss multiplier on its ladders" },
    { work: "SPARKLING width (2602.02472)", scale: "0.5B to 1.5B active, 200B tokens", reference: "same tokens, own learning rate", claimed: "20 %, 25 %, 35 % at equal tokens", savings: SPARKLING.map(([large, grown]) => twoPointSaving(SPARKLING_SMALL, large, grown)), reading: "power law through the small and the large scratch run" },
    { work: "G_stack (2405.15319)", scale: "410M to 7B, up to 700B tokens", reference: "same shape, one learning rate", claimed: "54.6 % speed-up (7B)", savings: STACK_PERCENT.map(savingFromSpeedup), reading: "s / (100 + s): a speed-up is no saving" },
    { work: "expert upcycling (2604.19835)", scale: "7B to 13B total", reference: "same tokens", claimed: "24 to 32 % of GPU-hours", savings: [], reading: "step time, not FLOPs; loss equal within 0.004, tasks 0.3 to 1.3 points short" },
    { work: "model family (2504.00623)", scale: "1B to 8B", reference: "sum of independent runs", claimed: "25 %", savings: [], reading: "of the family, not of a model" },
    { work: "MIDAS, LIDAS (2409.19044, 2512.08819)", scale: "0.36B to 8B", reference: "same steps", claimed: "up to 40 %, 23 %", savings: [], reading: "never tested at equal FLOPs" },
    { work: "zero- and one-layer (2511.04981)", scale: "to 7B", reference: "same shape, same tokens, up to 2,200 tokens a parameter", claimed: "80 %", savings: [], reading: `its gaps of 0.5 and 0.2 % in loss alone cost ${computeOfLossGap(0.005).toFixed(2)}x and ${computeOfLossGap(0.002).toFixed(2)}x of compute; no compute-optimal run to compare with` },
    { work: "FLM-101B (2309.03852)", scale: "101B, 311.5B tokens", reference: "its own estimate for 101B on the same tokens", claimed: "72 %, 3.56x", savings: [], reading: "no scratch run; by the loss-matching law 1.66x" },
  ];
}
