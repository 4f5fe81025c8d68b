import { type Axis, type LayoutEntry, gatePoints, layoutTable } from "@espalier/spec/model";
import type { AxisMap, GrowthMap } from "../map.ts";
import { firstNotRecovered, firstNotSelecting, firstReadOutsideCarry } from "./sparse.ts";
import type { Refusal } from "./verdict.ts";

/** Axes with a nonlinearity on them: the MLP's activation, and the softmax that a head's queries and keys go through. */
const NONLINEAR: readonly Axis[] = ["ffn", "kvHead", "group"];

/**
 * Gates silence units of these axes. Not `group`: a query gated to zero attends evenly instead of giving zero.
 */
const SILENCED_BY_GATE: readonly Axis[] = [...new Set(gatePoints.map(({ axis }) => axis))].filter(
  (axis): axis is Axis => axis !== "layer" && axis !== "group",
);

/** Layout entries that use an axis on one side. */
export function entriesOn(map: GrowthMap, axis: Axis, side: "in" | "out"): string[] {
  const uses = (axes: LayoutEntry["axes"] | undefined) =>
    axes?.some((use) => use.axis === axis && use.side === side) ?? false;
  return layoutTable(map.source)
    .filter((entry) => uses(entry.axes) || uses(entry.alsoUsedAs))
    .map(({ name }) => name);
}

/** Conditions on every axis but the rotated head size, which multiplies an activation with an activation. */
export function axisRefusals(map: GrowthMap, axis: Axis, axisMap: AxisMap): Refusal[] {
  const where = `axis ${axis}`;
  const refusals = [...unitRefusals(map, axis, axisMap)];
  const notRecovered = firstNotRecovered(axisMap);
  if (notRecovered) {
    refusals.push({ where, condition: "readers get every source unit back: N D = I", found: notRecovered });
  }
  const notSelecting = NONLINEAR.includes(axis) ? firstNotSelecting(axisMap) : undefined;
  if (notSelecting) {
    refusals.push({ where, condition: "D only selects or zeroes where a nonlinearity stands", found: notSelecting });
  }
  return refusals;
}

/** Whether new units are what the map says they are: silent or free, by gates or by zeros in F. */
function unitRefusals(map: GrowthMap, axis: Axis, { kinds, keeps, carry, read, gated, zero }: AxisMap): Refusal[] {
  const where = `axis ${axis}`;
  const refusals: Refusal[] = [];
  const emptyCarried = kinds.findIndex((kind, t) => (kind === "carried") !== carry[t]!.length > 0);
  if (emptyCarried >= 0) {
    refusals.push({
      where,
      condition: "carried units have a D row, silent and free ones have none",
      found: `target unit ${emptyCarried} is ${kinds[emptyCarried]} with ${carry[emptyCarried]!.length} sources`,
    });
  }
  const closed = gated ? kinds.findIndex((kind, t) => kind === "carried" && keeps[t]! < 0) : -1;
  if (closed >= 0) {
    refusals.push({
      where,
      condition: "new units behind a gate are silent",
      found: `target unit ${closed} is born in this growth and carried`,
    });
  }
  if (kinds.includes("silent") && !isSilent(map, axis, gated, zero)) {
    const nonzero = entriesOn(map, axis, "out").filter((name) => !zero.includes(name));
    refusals.push({
      where,
      condition: SILENCED_BY_GATE.includes(axis)
        ? "silent units are gated, or everything that writes them is zero"
        : "silent units have only zeros written to them (no gate silences this axis)",
      found: `${nonzero.join(", ")} write${nonzero.length === 1 ? "s" : ""} initialised values`,
    });
  }
  const free = kinds.findIndex((kind, t) => kind === "free" && read[t]!.length > 0);
  if (free >= 0) {
    refusals.push({ where, condition: "free units are read by nobody", found: `target unit ${free} has an N column` });
  }
  const readers = entriesOn(map, axis, "in").filter((name) => !zero.includes(name));
  if (kinds.includes("free") && (readers.length > 0 || axis === "residual" || axis === "normed")) {
    refusals.push({
      where,
      condition: "everything that reads free units is zero, norms included",
      found:
        axis === "residual"
          ? "norms take statistics over them"
          : `${readers.join(", ")} reads them with initialised values`,
    });
  }
  return refusals;
}

function isSilent(map: GrowthMap, axis: Axis, gated: boolean, zero: readonly string[]): boolean {
  if (gated && SILENCED_BY_GATE.includes(axis)) return true;
  // RMSNorm of a silent residual channel is zero whatever its gain; LayerNorm subtracts the mean and is not.
  const inherited = axis === "normed" && map.source.family === "llama" ? map.axes.residual : undefined;
  if (inherited) return isSilent(map, "residual", inherited.gated, inherited.zero);
  return entriesOn(map, axis, "out").every((name) => zero.includes(name));
}

/** Beyond the conditions for logits: N may only read what D put there, or the activation's slope would not match. */
export function axisGradientRefusals(axis: Axis, axisMap: AxisMap): Refusal[] {
  const linear = axis === "valueSize" || axis === "headSize";
  const stray = linear ? undefined : firstReadOutsideCarry(axisMap);
  if (!stray) return [];
  return [{ where: `axis ${axis}`, condition: "N reads only what D carries, so that slopes match", found: stray }];
}
