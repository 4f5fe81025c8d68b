import type { ClaimRow, ReproductionReport } from "@espalier/spec/run";
import { allClaims, totals } from "../claims/index.ts";
import type { TrainingTrace } from "../claims/trained.ts";
import { comparisons } from "./comparisons.ts";
import { equalLossRows, trendPoints } from "./equalLoss.ts";
import { caveat, headline } from "./headline.ts";

/** What the runs gave; everything else of the report follows from it. */
export interface Evidence
  extends Pick<
    ReproductionReport,
    "scale" | "seed" | "minutesAsked" | "minutesTaken" | "machine" | "corpus" | "arms" | "axisProbes" | "plan" | "memory" | "cost"
  > {
  numSeeds: number;
  traces: readonly TrainingTrace[];
}

/** The report from its evidence: a pure function but for the date. */
export function assembleReport({ numSeeds, traces, ...facts }: Evidence, createdAt = new Date()): ReproductionReport {
  const { arms, axisProbes } = facts;
  const compared = comparisons(arms);
  const equalLoss = equalLossRows(arms);
  const claims: ClaimRow[] = allClaims({ arms, axisProbes, equalLoss, traces });
  return {
    format: "espalier-report-1",
    createdAt: createdAt.toISOString(),
    headline: headline(arms, compared),
    caveat: caveat(arms, numSeeds),
    comparisons: compared,
    equalLoss,
    trend: trendPoints(equalLoss, arms),
    claims,
    claimTotals: totals(claims),
    ...facts,
  };
}
