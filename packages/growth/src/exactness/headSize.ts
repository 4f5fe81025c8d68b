import type { ModelConfig } from "@espalier/spec/model";
import type { GrowthMap } from "../map.ts";
import { entriesOn } from "./axes.ts";
import { copyCounts, firstNotSelecting, isClose, sameRow } from "./sparse.ts";
import type { Refusal } from "./verdict.ts";

const WHERE = "axis headSize";

/**
 * Query/key head size is a dual axis: queries meet keys, so D^T D = I, and D commutes with the rotation. Pair i
 * (units i and i + D/2) turns by its own frequency, so it may only go to a pair of the same frequency: to pair k i when
 * the size grows by k, or wherever a stored frequency table says so.
 */
export function headSizeRefusals(map: GrowthMap): Refusal[] {
  const axisMap = map.axes.headSize;
  const { source, target } = map;
  if (!axisMap) return frequencyRefusals(source, target, (pair) => pair, source.headDim / 2);

  const refusals: Refusal[] = [];
  const notSelecting = firstNotSelecting(axisMap);
  if (notSelecting)
    refusals.push({ where: WHERE, condition: "D selects: rotary pairs cannot be mixed", found: notSelecting });
  const counts = copyCounts(axisMap);
  const repeated = counts.findIndex((count) => count !== 1);
  if (repeated >= 0) {
    refusals.push({
      where: WHERE,
      condition: "query-key products count every source unit once: D^T D = I",
      found: `source unit ${repeated} stands ${counts[repeated]} times`,
    });
  }
  const silentSide = ["query", "key"].some((side) =>
    entriesOn(map, "headSize", "out")
      .filter((name) => name.startsWith(`attention.${side}.`))
      .every((name) => axisMap.zero.includes(name)),
  );
  if (axisMap.kinds.some((kind) => kind !== "carried") && !silentSide) {
    refusals.push({
      where: WHERE,
      condition: "new units add nothing to query-key products: their keys, or their queries, are zero",
      found: "both are initialised",
    });
  }
  if (refusals.length > 0) return refusals;

  const half = { source: source.headDim / 2, target: target.headDim / 2 };
  const sourceOf = (unit: number) => axisMap.carry[unit]![0]?.[0];
  for (let pair = 0; pair < half.target; pair++) {
    const [first, second] = [sourceOf(pair), sourceOf(pair + half.target)];
    const together = first === undefined ? second === undefined : first < half.source && second === first + half.source;
    if (!together) {
      return [
        {
          where: WHERE,
          condition: "both units of a rotary pair (i, i + D/2) stay together",
          found: `target pair ${pair} holds source units ${first ?? "none"} and ${second ?? "none"}`,
        },
      ];
    }
  }
  return frequencyRefusals(source, target, sourceOf, half.target);
}

function frequencyRefusals(
  source: ModelConfig,
  target: ModelConfig,
  sourcePair: (pair: number) => number | undefined,
  numPairs: number,
): Refusal[] {
  for (let pair = 0; pair < numPairs; pair++) {
    const from = sourcePair(pair);
    if (from === undefined) continue;
    const [before, after] = [frequency(source, from), frequency(target, pair)];
    if (before !== after && !isClose(before / after, 1)) { // pairs that do not turn have 0 on both sides
      return [
        {
          where: WHERE,
          condition: "D commutes with the rotation: every pair keeps its frequency",
          found: `pair ${from} turns by ${before} a position, its target pair ${pair} by ${after}`,
        },
      ];
    }
    // xPos decays a pair by its relative place i/D.
    if (source.position.kind === "xpos" && !isClose(from / source.headDim, pair / target.headDim)) {
      return [
        {
          where: WHERE,
          condition: "every pair keeps its xPos decay",
          found: `pair ${from} of ${source.headDim / 2} goes to pair ${pair} of ${target.headDim / 2}`,
        },
      ];
    }
  }
  return [];
}

function frequency({ position, headDim }: ModelConfig, pair: number): number {
  return position.frequencies?.[pair] ?? position.base ** ((-2 * pair) / headDim);
}

/** Beyond the conditions for logits: gradients of queries are made of keys, which D carried. */
export function headSizeGradientRefusals({ axes }: GrowthMap): Refusal[] {
  const map = axes.headSize;
  const differs = map ? map.read.findIndex((column, t) => !sameRow(column, map.carry[t]!)) : -1;
  if (differs < 0) return [];
  return [{ where: WHERE, condition: "on a dual axis N is D^T", found: `unit ${differs} differs` }];
}
