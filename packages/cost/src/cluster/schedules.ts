import { type ChinchillaConstants, chinchillaLoss, epochChinchilla, roundedChinchilla, texChinchilla } from "../laws/chinchilla.ts";
import { growthLoss, type GrowthStage } from "../laws/growthLaw.ts";
import { fitLimitedTransfer, stackSpeedups } from "../laws/transfer.ts";
import { growsInto } from "./growthSizes.ts";
import { bestOperators, type HopOperators, hopOperators, type OperatorLaw, operatorLaws, undominated } from "./hopOperators.ts";
import type { Layout } from "./layout.ts";
import type { Range } from "./money.ts";
import type { ClusterModel } from "./shape.ts";

/** A loss by the three readings of growth, each from three sets of constants: value by Epoch's, range over all. */
export interface GrowthCurves {
  /** Every token counts as one of the final model. */
  naive: Range;
  /** A grown model is as good as its loss. The default. */
  lossMatching: Range;
  /** With what each growth's operator keeps and adds; without operators, the transfer of published depth stacking. */
  transfer: Range;
}

export type GrowthReading = keyof GrowthCurves;
export const growthReadings: readonly GrowthReading[] = ["naive", "lossMatching", "transfer"];

/** A size with its fastest layout that fits. */
export interface TimedSize {
  model: ClusterModel;
  parameters: number;
  layout: Layout;
  stepSeconds: number;
  secondsPerToken: number;
  /** Standard deviation of the logarithm of the seconds. */
  spread: number;
}

/** Sizes in the order of growth and the share of the training seconds that each gets. */
export interface TimedSchedule {
  chain: readonly TimedSize[];
  shares: readonly number[];
}

const LAWS: readonly ChinchillaConstants[] = [epochChinchilla, roundedChinchilla, texChinchilla];
let fittedTransfer: ReturnType<typeof fitLimitedTransfer> | undefined;
/** kappa and its limit of published depth stacking, fitted once. */
function stackTransfer(): ReturnType<typeof fitLimitedTransfer> {
  return (fittedTransfer ??= fitLimitedTransfer(stackSpeedups));
}

const rangeOf = (values: readonly number[]): Range => ({ low: Math.min(...values), value: values[0]!, high: Math.max(...values) });

/** Loss of stages by one reading and one set of constants; `hops` are the operators of the growths. */
export function lossOfReading(reading: GrowthReading, stages: readonly GrowthStage[], constants: ChinchillaConstants = epochChinchilla, hops?: readonly HopOperators[]): number {
  if (reading !== "naive") return growthLoss(stages, { constants, ...(reading === "transfer" ? (hops ? { hops } : stackTransfer()) : {}) }).loss;
  return chinchillaLoss(stages.at(-1)!.parameters, stages.reduce((sum, stage) => sum + stage.tokens, 0), constants);
}

/** Loss of a schedule by the three readings, with the operators of its growths where they are known. */
export function growthCurves(stages: readonly GrowthStage[], hops?: readonly HopOperators[]): GrowthCurves {
  const over = (reading: GrowthReading) => rangeOf(LAWS.map((constants) => lossOfReading(reading, stages, constants, hops)));
  return { naive: over("naive"), lossMatching: over("lossMatching"), transfer: over("transfer") };
}

/** What a schedule may spend: training seconds, and tokens that there are. */
export interface ScheduleBudget {
  seconds: number;
  dataTokens: number;
}

/** Stages of a schedule in tokens when it trains for all of the seconds, or all shorter by one factor where the data ends first. */
export function stagesOf({ chain, shares }: TimedSchedule, { seconds, dataTokens }: ScheduleBudget): GrowthStage[] {
  let total = 0;
  const stages = chain.map((size, i) => {
    const tokens = (shares[i]! * seconds) / size.secondsPerToken;
    total += tokens;
    return { parameters: size.parameters, tokens };
  });
  if (total > dataTokens) for (const stage of stages) stage.tokens *= dataTokens / total;
  return stages;
}

/**
 * Least share of the training time of any stage. No law here knows the re-warm-up after a growth, so without a bound the
 * best target is one that is never trained; published late growth with a tenth of the tokens left was worse than none
 * (arXiv 2609.19107, plain models), with a fifth better.
 */
const LEAST_SHARE = 0.1;

/** Steps of the share of training time in the first pass; the winners are refined below. */
const SHARES = 10;
/** Share of the time at which refinement stops. */
const FINEST = 1 / 640;

/** For each growth of a chain the operators that can win. */
function operatorChoices(chain: readonly TimedSize[], laws: readonly OperatorLaw[]): HopOperators[][] {
  return chain.slice(1).map((size, i) => undominated(hopOperators(chain[i]!.model, size.model, laws)));
}

/** The operators of a schedule's growths by the law, each of those that can make its growth. */
export function operatorsOf(chain: readonly TimedSize[], stages: readonly GrowthStage[], laws: readonly OperatorLaw[] = operatorLaws()): HopOperators[] {
  return bestOperators(stages, operatorChoices(chain, laws));
}

/** Moves time between two stages while that lowers the loss; the step halves down to `FINEST`. */
function refine(reading: GrowthReading, start: TimedSchedule & { loss: number }, budget: ScheduleBudget, laws: readonly OperatorLaw[], count: () => void): TimedSchedule & { loss: number } {
  let best = start;
  const choices = operatorChoices(start.chain, laws);
  for (let step = 1 / (2 * SHARES); step >= FINEST; step /= 2) {
    for (let moved = true; moved; ) {
      moved = false;
      for (let from = 0; from < best.chain.length; from++) {
        for (let to = 0; to < best.chain.length; to++) {
          if (from === to || best.shares[from]! - step < LEAST_SHARE - 1e-9) continue;
          const shares = best.shares.map((share, i) => share + (i === to ? step : 0) - (i === from ? step : 0));
          const candidate = { chain: best.chain, shares };
          const stages = stagesOf(candidate, budget);
          const loss = lossOfReading(reading, stages, epochChinchilla, reading === "transfer" ? bestOperators(stages, choices) : undefined);
          count();
          if (loss < best.loss) [best, moved] = [{ ...candidate, loss }, true];
        }
      }
    }
  }
  return best;
}

export interface ScheduleSearch {
  best: Record<GrowthReading, TimedSchedule & { loss: number }>;
  /** Schedules whose loss was computed, by three readings in the first pass and by one in refinement. */
  evaluations: number;
}

/**
 * The schedules of two and three sizes to the target (the last size) with the lowest loss within a budget, by each reading: all chains
 * that operators can grow along, with time in tenths and each growth by its best operator, then the winners refined to 1/640 of the time.
 * Only the transfer reading tells operators apart.
 */
export function searchSchedules(sizes: readonly TimedSize[], budget: ScheduleBudget, laws: readonly OperatorLaw[] = operatorLaws()): ScheduleSearch {
  const target = sizes.at(-1)!;
  const none = (): TimedSchedule & { loss: number } => ({ loss: Infinity, chain: [], shares: [] });
  const best = { naive: none(), lossMatching: none(), transfer: none() };
  let evaluations = 0;
  const evaluate = (chain: readonly TimedSize[], choices: readonly (readonly HopOperators[])[], shares: readonly number[]) => {
    const stages = stagesOf({ chain, shares }, budget);
    evaluations++;
    for (const reading of growthReadings) {
      const loss = lossOfReading(reading, stages, epochChinchilla, reading === "transfer" ? bestOperators(stages, choices) : undefined);
      if (loss < best[reading].loss) best[reading] = { loss, chain, shares };
    }
  };
  const grows = sizes.map((from) => sizes.map((to) => (growsInto(from.model, to.model) ? operatorChoices([from, to], laws)[0]! : [])));
  const last = sizes.length - 1;
  for (const [i, first] of sizes.entries()) {
    const direct = grows[i]![last]!;
    if (direct.length > 0) for (let a = 1; a < SHARES; a++) evaluate([first, target], [direct], [a / SHARES, 1 - a / SHARES]);
    for (const [k, second] of sizes.entries()) {
      const choices = [grows[i]![k]!, grows[k]![last]!];
      if (choices.some((options) => options.length === 0)) continue;
      for (let a = 1; a < SHARES - 1; a++) {
        for (let b = 1; a + b < SHARES; b++) evaluate([first, second, target], choices, [a / SHARES, b / SHARES, (SHARES - a - b) / SHARES]);
      }
    }
  }
  for (const reading of growthReadings) {
    if (best[reading].chain.length > 0) best[reading] = refine(reading, best[reading], budget, laws, () => evaluations++);
  }
  return { best, evaluations };
}
