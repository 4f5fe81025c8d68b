import { type ChinchillaConstants, epochChinchilla } from "../laws/chinchilla.ts";
import { equivalentAfter, type GrowthStage, type HopEffects } from "../laws/growthLaw.ts";
import { fitLimitedTransfer, fitTransfer, stackSpeedups } from "../laws/transfer.ts";
import type { ClusterModel } from "./shape.ts";

/**
 * Where a law value comes from. `fitted`: calibrated on runs of our own. `published`: fitted to somebody's speed-up at
 * equal loss. `assumed`: nobody measured this one; the source says what stands in.
 */
export type LawBasis = "fitted" | "published" | "assumed";

/** What the growth law takes an operator to keep and to add. */
export interface OperatorLaw extends Required<HopEffects> {
  /** As a growth plan names it. */
  operator: string;
  /** The axes that it can grow from one size to the other. */
  can: (from: ClusterModel, to: ClusterModel) => { width: boolean; depth: boolean };
  basis: LawBasis;
  source: string;
}

/** How one growth is made: an operator an axis that grows, and what the law takes them to do together. */
export interface HopOperators extends Required<HopEffects> {
  /** Such as "stack", or "msg + stack" where width and depth have one each. */
  operator: string;
  basis: LawBasis;
  source: string;
}

const multiple = (from: number, to: number) => to % from === 0;
const wholeWidths = (a: ClusterModel, b: ClusterModel) =>
  multiple(a.residualDim, b.residualDim) && multiple(a.numHeads, b.numHeads) && multiple(a.numKvHeads, b.numKvHeads) && multiple(a.ffnDim, b.ffnDim);

let known: readonly OperatorLaw[] | undefined;

/**
 * Operators with their law values, the default of the search. Published values come from the four-operator comparison at
 * 1.1B, g = 4 (49.1 % stacking, 46.6 % zero depth, -0.7 % splitting neurons at equal loss) and, for stacking, from all eight
 * published speed-ups. Only stacking was measured over-trained: its limit stands for zero depth too.
 *
 * Source: Du et al. 2024, arXiv:2405.15319, figure 3; own three-stage reproduction, three seeds, below 1e6 parameters.
 */
export function operatorLaws(): readonly OperatorLaw[] {
  if (known) return known;
  const stack = fitLimitedTransfer(stackSpeedups);
  const at1100M = (speedupPercent: number) => [{ smallParameters: 1.1e9 / 4, smallTokens: 10e9, targetParameters: 1.1e9, targetTokens: 100e9, speedupPercent }];
  const zeroDepth = fitTransfer(at1100M(46.6), { transferLimit: stack.transferLimit });
  const split = fitTransfer(at1100M(-0.7));
  known = [
    { operator: "stack", can: (a, b) => ({ width: false, depth: multiple(a.numLayers, b.numLayers) }), retention: 1, ...stack, basis: "published", source: "arXiv:2405.15319, eight speed-ups, 0.4 to 7 billion parameters" },
    { operator: "zeroDepth", can: () => ({ width: false, depth: true }), retention: 1, transfer: zeroDepth, transferLimit: stack.transferLimit, basis: "published", source: "arXiv:2405.15319, figure 3, one speed-up at 1.1 billion; limit of stacking" },
    { operator: "hyperCloning", can: (a, b) => ({ width: wholeWidths(a, b), depth: false }), retention: 1, transfer: split, transferLimit: Infinity, basis: "assumed", source: "that of splitting neurons, arXiv:2405.15319, figure 3; its own 2 to 4 times are not at equal compute" },
    { operator: "net2Wider", can: (a, b) => ({ width: a.residualDim === b.residualDim, depth: false }), retention: 1, transfer: split, transferLimit: Infinity, basis: "published", source: "splitting neurons, arXiv:2405.15319, figure 3, one speed-up at 1.1 billion" },
    { operator: "msg", can: () => ({ width: true, depth: true }), retention: 0.9, transfer: -0.22, transferLimit: Infinity, basis: "fitted", source: "own reproduction, three seeds, below 1e6 parameters: 80 % of -0.45 to 0.01" },
  ];
  return known;
}

/** Parameters of one block, attention as 4 C^2. */
const widthSize = (m: ClusterModel) => m.residualDim * (4 * m.residualDim + (m.gated ? 3 : 2) * m.ffnDim);

/**
 * Every way to grow one size into another: an operator for the widths, one for the depth. Nobody measured two operators
 * at once: together they have the mean of their values (of logarithms for retention), weighted by the share of
 * ln(parameters) that each axis adds, the lower limit, and count as assumed. None when something shrinks or the head size changes.
 */
export function hopOperators(from: ClusterModel, to: ClusterModel, laws: readonly OperatorLaw[] = operatorLaws()): HopOperators[] {
  const shrinks = to.numLayers < from.numLayers || to.residualDim < from.residualDim || to.ffnDim < from.ffnDim || to.numHeads < from.numHeads || to.numKvHeads < from.numKvHeads;
  if (shrinks || from.headDim !== to.headDim) return [];
  const deeper = to.numLayers > from.numLayers;
  const wider = to.residualDim > from.residualDim || to.ffnDim > from.ffnDim || to.numHeads > from.numHeads || to.numKvHeads > from.numKvHeads;
  const able = laws.map((law) => ({ law, can: law.can(from, to) }));
  const depths = able.filter(({ can }) => can.depth).map(({ law }) => law);
  const widths = able.filter(({ can }) => can.width).map(({ law }) => law);
  const alone = ({ operator, retention, transfer, transferLimit, basis, source }: OperatorLaw): HopOperators => ({ operator, retention, transfer, transferLimit, basis, source });
  if (!wider) return deeper ? depths.map(alone) : [];
  if (!deeper) return widths.map(alone);
  const [byDepth, byWidth] = [Math.log(to.numLayers / from.numLayers), Math.log(widthSize(to) / widthSize(from))];
  const share = byDepth / (byDepth + byWidth);
  return widths.flatMap((w) => depths.map((d) => (w === d ? alone(w) : {
    operator: `${w.operator} + ${d.operator}`,
    retention: w.retention ** (1 - share) * d.retention ** share,
    transfer: w.transfer * (1 - share) + d.transfer * share,
    transferLimit: Math.min(w.transferLimit, d.transferLimit),
    basis: "assumed" as const,
    source: `mean of both, ${(100 * share).toFixed(0)} % depth: ${w.operator} ${w.basis} (${w.source}), ${d.operator} ${d.basis} (${d.source})`,
  })));
}

/** Without those that another equals or beats in everything: whatever the stages, they cannot win. */
export function undominated(hops: readonly HopOperators[]): HopOperators[] {
  const covers = (a: HopOperators, b: HopOperators) => a.retention >= b.retention && a.transfer >= b.transfer && a.transferLimit >= b.transferLimit;
  return hops.filter((hop, i) => !hops.some((other, k) => k !== i && covers(other, hop) && (!covers(hop, other) || k < i)));
}

/** A growth that no operator here makes (such as of the head size), in a schedule that somebody else planned. */
const unnamed: HopOperators = { operator: "unnamed", retention: 1, transfer: 0, transferLimit: Infinity, basis: "assumed", source: "loss matching: no operator here makes this growth" };

/**
 * The operators of a schedule's growths with the lowest loss by the law. Choosing growth by growth is exact: the loss falls
 * with the equivalent tokens before a growth, whatever follows.
 */
export function bestOperators(stages: readonly GrowthStage[], choices: readonly (readonly HopOperators[])[], c: ChinchillaConstants = epochChinchilla): HopOperators[] {
  let equivalent = stages[0]!.tokens;
  return choices.map((options, i) => {
    let best = options[0] ?? unnamed;
    let most = -Infinity;
    for (const option of options.length > 0 ? options : [unnamed]) {
      const after = equivalentAfter(stages[i]!.parameters, equivalent, stages[i + 1]!, option, c).total;
      if (after > most) [most, best] = [after, option];
    }
    equivalent = most;
    return best;
  });
}
