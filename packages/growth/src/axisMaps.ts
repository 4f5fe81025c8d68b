import { GrowthError } from "@espalier/core";
import type { AxisMap, NormRule, SparseRow } from "./map.ts";

interface NewUnits {
  kind: "silent" | "free";
  gated: boolean;
  zero?: readonly string[];
  normRule?: NormRule;
}

/**
 * D = [I; 0], N = [I 0]: the source keeps the leading units and new units are appended.
 *
 * @throws {GrowthError} when the target is smaller than the source
 */
export function corner(name: string, sourceSize: number, targetSize: number, added: NewUnits): AxisMap {
  expectNotSmaller(name, sourceSize, targetSize);
  const identity = Array.from({ length: targetSize }, (_, t): SparseRow => (t < sourceSize ? [[t, 1]] : []));
  return {
    sourceSize,
    targetSize,
    carry: identity,
    read: identity,
    kinds: identity.map((row) => (row.length > 0 ? "carried" : added.kind)),
    keeps: identity.map((row, t) => (row.length > 0 ? t : -1)),
    gated: added.gated,
    zero: added.zero ?? [],
    ...(added.normRule ? { normRule: added.normRule } : {}),
  };
}

/**
 * Every target unit copies one source unit (`D[t, sources[t]] = 1`) and readers split their weight over the copies
 * (`N[sources[t], t] = shares[t]`, evenly when no shares are given). The first copy of a unit is its continuation.
 *
 * @throws {GrowthError} when a source unit has no copy, or its shares do not add up to 1
 */
export function copies(
  name: string,
  sourceSize: number,
  sources: readonly number[],
  { shares, normRule }: { shares?: readonly number[]; normRule?: NormRule } = {},
): AxisMap {
  const count = new Array<number>(sourceSize).fill(0);
  for (const s of sources) count[s]!++;
  const missing = count.indexOf(0);
  if (missing >= 0) {
    throw new GrowthError(
      `${name}: source unit ${missing} has no copy, expected at least one. Name every source unit.`,
    );
  }
  const share = (t: number) => shares?.[t] ?? 1 / count[sources[t]!]!;
  const sums = new Array<number>(sourceSize).fill(0);
  sources.forEach((s, t) => (sums[s]! += share(t)));
  const uneven = sums.findIndex((sum) => Math.abs(sum - 1) > 1e-12);
  if (uneven >= 0) {
    throw new GrowthError(
      `${name}: shares of source unit ${uneven} add up to ${sums[uneven]}, expected 1. Divide them by their sum.`,
    );
  }
  const seen = new Set<number>();
  return {
    sourceSize,
    targetSize: sources.length,
    carry: sources.map((s) => [[s, 1]]),
    read: sources.map((s, t) => [[s, share(t)]]),
    kinds: sources.map(() => "carried"),
    keeps: sources.map((s) => (seen.has(s) ? -1 : (seen.add(s), s))),
    gated: false,
    zero: [],
    ...(normRule ? { normRule } : {}),
  };
}

/** @throws {GrowthError} */
export function expectNotSmaller(name: string, sourceSize: number, targetSize: number): void {
  if (targetSize < sourceSize) {
    throw new GrowthError(
      `${name}: target size is ${targetSize}, expected at least the source size ${sourceSize}. ` +
        "Growth never shrinks: choose a larger target or start from a smaller source.",
    );
  }
}

/** Whole number of times that the source fits into the target. @throws {GrowthError} when there is a remainder */
export function wholeFactor(name: string, sourceSize: number, targetSize: number): number {
  expectNotSmaller(name, sourceSize, targetSize);
  if (targetSize % sourceSize !== 0) {
    throw new GrowthError(
      `${name}: target size is ${targetSize}, expected a multiple of the source size ${sourceSize}. ` +
        "Choose a multiple, or an operator with arbitrary targets such as `msg`.",
    );
  }
  return targetSize / sourceSize;
}
