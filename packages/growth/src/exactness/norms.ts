import type { GrowthMap } from "../map.ts";
import { copyCounts, firstNotSelecting, isClose, sameRow } from "./sparse.ts";
import type { Refusal } from "./verdict.ts";

/** Conditions under which norms over the residual stream give their old output on carried channels. */
export function normRefusals(map: GrowthMap): Refusal[] {
  const { source, target } = map;
  const residual = map.axes.residual;
  const rule = residual?.normRule ?? "unchanged";
  const epsilonRatio = rule === "rescaled" ? source.residualDim / target.residualDim : 1;
  const refusals: Refusal[] = (["attention", "ffn", "final"] as const)
    .filter((norm) => !isClose(target.normEpsilon[norm] / source.normEpsilon[norm], epsilonRatio))
    .map((norm) => ({
      where: `${norm}.norm`,
      condition:
        rule === "rescaled"
          ? "epsilon is scaled by C/C' with the mean square it is added to"
          : "epsilon is the source's",
      found: `${target.normEpsilon[norm]} after ${source.normEpsilon[norm]}, C ${source.residualDim} -> ${target.residualDim}`,
    }));
  if (!residual) return refusals;

  const refuse = (condition: string, found: string) => refusals.push({ where: "axis residual", condition, found });
  const notSelecting = firstNotSelecting(residual);
  if (notSelecting) refuse("norms see selected channels, never mixtures", notSelecting);
  const counts = copyCounts(residual);
  const repeated = counts.findIndex((count) => count !== 1);
  const once = repeated < 0 ? undefined : `source channel ${repeated} stands ${counts[repeated]} times`;
  const numNew = residual.kinds.filter((kind) => kind !== "carried").length;

  switch (rule) {
    case "unchanged":
      if (once || numNew > 0) {
        refuse(
          "a norm without a rule sees every source channel once and nothing else",
          once ?? `${numNew} channels are new`,
        );
      }
      break;
    case "masked":
      if (once) refuse("masked statistics see every source channel once", once);
      if (numNew > 0 && !residual.gated) refuse("new channels are masked out by gates", "the axis is not gated");
      break;
    case "fullCopies": {
      const uneven = counts.findIndex((count) => count !== counts[0]);
      if (uneven >= 0) {
        refuse(
          "every source channel stands equally often",
          `channel 0 ${counts[0]} times, channel ${uneven} ${counts[uneven]} times`,
        );
      }
      if (numNew > 0) refuse("statistics see copies and nothing else", `${numNew} channels are new`);
      break;
    }
    case "rescaled":
      if (source.family === "flm") {
        refuse("silent channels leave the mean alone: RMSNorm only", "LayerNorm subtracts a mean that shrinks by C/C'");
      }
      if (once) refuse("the sum of squares is the source's", once);
      break;
  }
  return [...refusals, ...finalNormRefusals(map)];
}

/** The final norm's output follows the residual channels; a tied head reads it as the embedding was carried. */
function finalNormRefusals({ axes, target }: GrowthMap): Refusal[] {
  const residual = axes.residual!;
  const normed = axes.normed;
  if (!normed) {
    return [
      {
        where: "axis normed",
        condition: "the final norm's output has a map when the residual stream has",
        found: "none",
      },
    ];
  }
  const moved = normed.carry.findIndex((row, t) => row.some(([s]) => !residual.carry[t]!.some(([from]) => from === s)));
  const refusals: Refusal[] = [];
  if (moved >= 0) {
    refusals.push({
      where: "axis normed",
      condition: "the final norm works channel by channel",
      found: `target channel ${moved} comes from another source channel than in the residual stream`,
    });
  }
  const other = target.tiedHead ? normed.read.findIndex((column, t) => !sameRow(column, residual.carry[t]!)) : -1;
  if (other >= 0) {
    refusals.push({
      where: "embedding.weight",
      condition: "a tied head reads what the embedding writes: N of the final norm is D^T of the residual stream",
      found: `column ${other} differs`,
    });
  }
  return refusals;
}

/**
 * Beyond the conditions for logits: the backward of a norm couples its channels, which carries over to copies only when
 * readers split evenly; and a tied embedding has one gradient for two uses, which must agree.
 */
export function normGradientRefusals({ axes, target }: GrowthMap): Refusal[] {
  const residual = axes.residual;
  if (!residual) return [];
  const counts = copyCounts(residual);
  const refusals: Refusal[] = [];
  const uneven = residual.read.findIndex((column) => column.some(([s, weight]) => !isClose(weight, 1 / counts[s]!)));
  if (uneven >= 0) {
    refusals.push({
      where: "axis residual",
      condition: "readers of a normed stream split evenly over copies",
      found: `channel ${uneven} is read with weight ${residual.read[uneven]![0]![1]}`,
    });
  }
  const normed = axes.normed;
  const differs = target.tiedHead && normed ? normed.carry.findIndex((row, t) => !sameRow(row, residual.read[t]!)) : -1;
  if (differs >= 0) {
    refusals.push({
      where: "embedding.weight",
      condition:
        "both uses of a tied embedding carry their gradient alike: D of the final norm is N^T of the residual stream",
      found: `channel ${differs} differs`,
    });
  }
  return refusals;
}
