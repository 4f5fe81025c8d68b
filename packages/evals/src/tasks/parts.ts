/** Credit for parts of an answer: right steps of a procedure, or right values of a set. */

import { boundedEstimate } from "../statistics/bounded.ts";
import { type Estimate, meanEstimate } from "../statistics/means.ts";
import { type Interval, wilson } from "../statistics/intervals.ts";
import type { Parts } from "./task.ts";

/** Scores of one answer to a target of n steps, against m steps that were given. */
export interface StepScore {
  /** Length of the longest right prefix. */
  prefixMatchLength: number;
  /** `prefixMatchLength / max(n, m)`. */
  prefixAccuracy: number;
  /** All steps are right, and no others are given. */
  sequentialMatch: boolean;
  /** The last step given is the last of the target. */
  finalMatch: boolean;
}

/**
 * Step-wise scores of a generated text. Steps are parted at the separator and trimmed; an empty text has none.
 *
 * @see Fujisawa et al. 2024, ProcBench, arXiv:2410.03117
 */
export function stepScore(generated: string, { values, separator }: Parts): StepScore {
  const text = generated.trim();
  const mark = separator.trim();
  const given = text === "" ? [] : (mark === "" ? text.split(/\s+/) : text.split(mark)).map((step) => step.trim());
  let prefixMatchLength = 0;
  while (prefixMatchLength < Math.min(values.length, given.length) && given[prefixMatchLength] === values[prefixMatchLength]) prefixMatchLength++;
  const prefixAccuracy = prefixMatchLength / Math.max(values.length, given.length);
  return { prefixMatchLength, prefixAccuracy, sequentialMatch: prefixAccuracy === 1, finalMatch: given.at(-1) === values.at(-1) };
}

/** Share of the values that occur anywhere in the text, in any order: RULER's `string_match_all`. */
export function setRecall(generated: string, { values }: Parts): number {
  return values.filter((value) => generated.toLowerCase().includes(value.toLowerCase())).length / values.length;
}

/** A share with its 95 % Wilson interval. */
export interface Share {
  share: number;
  interval: Interval;
}

export type PartScores =
  | { kind: "steps"; prefixAccuracy: Estimate; prefixMatchLength: Estimate; sequentialMatch: Share; finalMatch: Share }
  | { kind: "set"; recall: Estimate };

/** Part scores of answered items: shares and means of shares with Wilson intervals, lengths with t. Undefined where no target has parts. */
export function partScores(answered: readonly { generated: string; parts?: Parts }[]): PartScores | undefined {
  const known = answered.flatMap(({ generated, parts }) => (parts === undefined ? [] : [{ generated, parts }]));
  if (known.length === 0) return undefined;
  if (known[0].parts.kind === "set") return { kind: "set", recall: boundedEstimate(known.map(({ generated, parts }) => setRecall(generated, parts))) };
  const scores = known.map(({ generated, parts }) => stepScore(generated, parts));
  const share = (hits: readonly boolean[]): Share => {
    const k = hits.filter(Boolean).length;
    return { share: k / hits.length, interval: wilson(k, hits.length) };
  };
  return {
    kind: "steps",
    prefixAccuracy: boundedEstimate(scores.map(({ prefixAccuracy }) => prefixAccuracy)),
    prefixMatchLength: meanEstimate(scores.map(({ prefixMatchLength }) => prefixMatchLength)),
    sequentialMatch: share(scores.map(({ sequentialMatch }) => sequentialMatch)),
    finalMatch: share(scores.map(({ finalMatch }) => finalMatch)),
  };
}
