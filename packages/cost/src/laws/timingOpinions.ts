import { growthTiming } from "./growthTiming.ts";
import { stackTiming } from "./stackTiming.ts";

/** What one published law or study says about when to grow. */
export interface TimingOpinion {
  source: string;
  setting: string;
  /** Share of the target's tokens before growth that is best, and the range that is as good where it was measured. */
  shareBefore: number;
  flat?: readonly [number, number];
  warnings: readonly string[];
}

/** Published best shares that no formula here yields; arXiv numbers, settings as their authors describe them. */
const STUDIES: readonly Omit<TimingOpinion, "warnings">[] = [
  { source: "2511.04981", setting: "0 or 1 block to the full depth, WSD schedule", shareBefore: 0.8 },
  { source: "2602.02472", setting: "width x2, not searched", shareBefore: 0.5 },
  { source: "2604.19835", setting: "experts x2", shareBefore: 0.32, flat: [0.13, 0.5] },
];

/**
 * When to grow by every law there is, for a target and the tokens of the whole run, and whether they agree. They do not:
 * the answers depend on operator, schedule and how far the small model is over-trained.
 *
 * @param tokens of the whole run; the small model of depth stacking has a quarter of the target's parameters
 */
export function timingOpinions(targetParameters: number, tokens: number): { opinions: TimingOpinion[]; sentence: string } {
  const opinions: TimingOpinion[] = [];
  const stack = stackTiming(targetParameters, 6 * targetParameters * tokens);
  opinions.push({ source: "2405.15319", setting: "depth stacking x4", shareBefore: Math.min(1, stack.tokens / tokens), warnings: stack.warnings });
  const perParameter = tokens / (targetParameters / 2);
  for (const variant of ["plain", "boundary"] as const) {
    const { shareAfter, flat, warnings } = growthTiming(variant).best(variant === "plain" ? undefined : perParameter);
    opinions.push({
      source: "2609.19107", setting: variant === "plain" ? "depth x2, plain" : "depth x2, boundary operator, untied",
      shareBefore: 1 - shareAfter, flat: [1 - flat[1], 1 - flat[0]], warnings,
    });
  }
  opinions.push(...STUDIES.map((study) => ({ ...study, warnings: [] })));
  const shares = opinions.map(({ shareBefore }) => shareBefore);
  const [low, high] = [Math.min(...shares), Math.max(...shares)];
  const percent = (share: number) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  return {
    opinions,
    sentence: high - low > 0.2 ? `The laws disagree: growth after ${percent(low)} to ${percent(high)} of the tokens.` : `The laws agree within ${percent(high - low)} of the tokens.`,
  };
}
