import type { ClaimRow, ClaimVerdict } from "@espalier/spec/run";
import { equalsPrinted, type Interval, overlaps, type Printed, roundingInterval } from "../printed.ts";

/** A number that went into a computation, and where it stands. */
export interface WorkingsInput {
  name: string;
  value: number | string;
  source: string;
}

/** How a claim was recomputed: the formula in the letters of the inputs. */
export interface Workings {
  formula: string;
  inputs: readonly WorkingsInput[];
}

/** An arithmetic row of the claims table; its workings are there as data (`derivation`) and as one line (`workings`). */
export interface ArithmeticClaim extends ClaimRow {
  kind: "arithmetic";
  verdict: ClaimVerdict;
  workings: string;
  derivation: Workings;
}

export interface ArithmeticClaimInput extends Omit<ArithmeticClaim, "kind" | "workings"> {}

export function claim(input: ArithmeticClaimInput): ArithmeticClaim {
  const inputs = input.derivation.inputs.map(({ name, value, source }) => `${name} = ${value} (${source})`);
  return { ...input, kind: "arithmetic", workings: `${input.derivation.formula}; ${inputs.join(", ")}` };
}

/**
 * The verdict on one printed figure: `exact` when the computed value rounds to the printed digits; `reproduced` when
 * it can have been printed so because the inputs are themselves rounded; `contradicted` otherwise.
 */
export function verdictOn(value: number, printed: Printed, interval?: Interval): "exact" | "reproduced" | "contradicted" {
  if (equalsPrinted(value, printed)) return "exact";
  return interval && overlaps(interval, roundingInterval(printed)) ? "reproduced" : "contradicted";
}

/** The weakest of several verdicts. */
export function weakest(verdicts: readonly ("exact" | "reproduced" | "contradicted")[]): "exact" | "reproduced" | "contradicted" {
  if (verdicts.includes("contradicted")) return "contradicted";
  return verdicts.includes("reproduced") ? "reproduced" : "exact";
}

/** `about x` is read as within a tenth of x; the paper gives no tolerance. */
export function isAbout(value: number, about: number): boolean {
  return Math.abs(value / about - 1) <= 0.1;
}
