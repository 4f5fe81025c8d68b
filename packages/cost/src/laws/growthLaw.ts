import { type ChinchillaConstants, chinchillaLoss, epochChinchilla } from "./chinchilla.ts";

/** A stage of a growth schedule: N parameters trained on D tokens. */
export interface GrowthStage {
  parameters: number;
  tokens: number;
}

/** What the operator of one growth keeps and adds. */
export interface HopEffects {
  /** rho: share of the matched tokens that the larger model keeps. */
  retention?: number;
  /** kappa: a grown model's tokens count (1 + kappa) times, since it learns faster than its loss says. */
  transfer?: number;
  /** Tokens a parameter that the transfer can be worth at most in one stage; unlimited by default. */
  transferLimit?: number;
}

/** What a growth does to the loss beyond the static law. Defaults: a perfect function-preserving operator. */
export interface GrowthEffects extends HopEffects {
  constants?: ChinchillaConstants;
  /** delta: jump of the loss at growth, nats. */
  lossJump?: number;
  /** Effects of each growth's own operator, in place of the same for all; one entry a growth. */
  hops?: readonly HopEffects[];
}

export interface GrowthPrediction {
  loss: number;
  /** Training FLOPs, 6 N D over stages. */
  flops: number;
  /** Tokens at which a model of the final size trained from scratch would have this loss. */
  equivalentTokens: number;
  /** Equivalent tokens right after each growth. */
  equivalentAfterGrowth: readonly number[];
}

/** How sharply the transfer bends into its limit. */
const BEND = 4;

/**
 * Tokens that a grown stage gains beyond its own: `kappa D` while that is far below the limit of m tokens a parameter, the
 * limit where it is far above: `kappa D / (1 + (kappa D / m N)^4)^(1/4)`. A negative kappa has no limit.
 */
function extraTokens({ parameters, tokens }: GrowthStage, transfer: number, limit: number): number {
  const gained = transfer * tokens;
  if (limit === Infinity || gained <= 0) return gained;
  return gained / (1 + (gained / (limit * parameters)) ** BEND) ** (1 / BEND);
}

/**
 * Equivalent tokens after one growth from N parameters and `equivalent` tokens, and after the stage that follows; the law of `growthLoss`.
 */
export function equivalentAfter(before: number, equivalent: number, stage: GrowthStage, effects: HopEffects & { lossJump?: number }, c: ChinchillaConstants): { matched: number; total: number } {
  const { lossJump = 0, retention = 1, transfer = 0, transferLimit = Infinity } = effects;
  const reducible = c.A / before ** c.alpha + c.B / equivalent ** c.beta + lossJump - c.A / stage.parameters ** c.alpha;
  const matched = retention * (c.B / reducible) ** (1 / c.beta);
  return { matched, total: matched + stage.tokens + extraTokens(stage, transfer, transferLimit) };
}

/**
 * Loss-matching growth law. The state is (N, D_eq); at a growth N -> N' the loss is kept:
 *
 *     Delta  = A/N^alpha + B/D_eq^beta + delta - A/N'^alpha
 *     D_eq'  = rho (B/Delta)^(1/beta)
 *
 * and tokens of the next stage are added, times 1 + kappa up to a limit (`extraTokens`). Ours, unpublished; with kappa = 0 it is the conservative
 * reading (a grown model is as good as its loss). Loss in nats of the law's own corpus.
 *
 * @throws {RangeError} when there is no stage, a stage is smaller than the one before, or `hops` is not one entry a growth
 */
export function growthLoss(stages: readonly GrowthStage[], effects: GrowthEffects = {}): GrowthPrediction {
  const { constants: c = epochChinchilla, hops } = effects;
  if (stages.length === 0) throw new RangeError("growthLoss: stages: is empty, expected at least one. Name the first model.");
  if (hops && hops.length !== stages.length - 1) throw new RangeError(`growthLoss: hops: has ${hops.length} entries, expected ${stages.length - 1}, one a growth. Name the operator of each.`);
  let equivalent = stages[0]!.tokens;
  const equivalentAfterGrowth: number[] = [];
  for (let i = 1; i < stages.length; i++) {
    const before = stages[i - 1]!.parameters;
    const after = stages[i]!.parameters;
    if (after < before) {
      throw new RangeError(`growthLoss: stage ${i}: has ${after} parameters, expected at least the ${before} before it. Growth only enlarges.`);
    }
    const { matched, total } = equivalentAfter(before, equivalent, stages[i]!, hops ? hops[i - 1]! : effects, c);
    equivalentAfterGrowth.push(matched);
    equivalent = total;
  }
  const final = stages.at(-1)!.parameters;
  return {
    loss: chinchillaLoss(final, equivalent, c),
    flops: stages.reduce((sum, stage) => sum + 6 * stage.parameters * stage.tokens, 0),
    equivalentTokens: equivalent,
    equivalentAfterGrowth,
  };
}

/** Training FLOPs at which a model of N parameters from scratch reaches a loss by the static law; infinite below its floor. */
export function scratchFlopsToLoss(parameters: number, loss: number, c: ChinchillaConstants = epochChinchilla): number {
  const reducible = loss - c.E - c.A / parameters ** c.alpha;
  return reducible <= 0 ? Infinity : 6 * parameters * (c.B / reducible) ** (1 / c.beta);
}

/** Equal-loss saving of a schedule against its final size from scratch, by the law: FLOPs(scratch) / FLOPs(grown). */
export function predictedEqualLossSaving(stages: readonly GrowthStage[], effects: GrowthEffects = {}): number {
  const { loss, flops } = growthLoss(stages, effects);
  return scratchFlopsToLoss(stages.at(-1)!.parameters, loss, effects.constants) / flops;
}
