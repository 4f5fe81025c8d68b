import { arithmeticClaims } from "@espalier/cost";
import type { ClaimRow, ReproductionReport } from "@espalier/spec/run";
import { laterClaims, printedIqClaims } from "./printed.ts";
import { type TrainedEvidence, trainedClaims } from "./trained.ts";

/** One row per claim of the paper. */
export function allClaims(evidence: TrainedEvidence): ClaimRow[] {
  const arithmetic = arithmeticClaims().map(({ id, kind, paper, measured, interval, verdict, why, workings }): ClaimRow => ({
    id, kind, paper, measured, ...(interval ? { interval } : {}), verdict, why, workings,
  }));
  return [...trainedClaims(evidence), ...arithmetic, ...printedIqClaims(), ...laterClaims()];
}

export function totals(claims: readonly ClaimRow[]): ReproductionReport["claimTotals"] {
  const counts: ReproductionReport["claimTotals"] = { arithmetic: {}, "trained here": {}, "later issue": {} };
  for (const { kind, verdict } of claims) counts[kind][verdict] = (counts[kind][verdict] ?? 0) + 1;
  return counts;
}
