/** How far a growth changed what a model says. */

import { ConfigError } from "@espalier/core";
import { type Interval, wilson } from "../statistics/intervals.ts";
import { loggedAnswer, type LoggedSample } from "./logged.ts";

export interface Agreement {
  items: number;
  /** Items with the same answer: equal greedy text, and the same first choice where choices were scored. */
  same: number;
  share: number;
  /** Wilson, 95 %. */
  interval: Interval;
  /**
   * Mean and largest |a - b| of the log-likelihoods of the same continuations, in nats; null where none were scored. A
   * continuation that both hold impossible (-Infinity) has changed by 0.
   */
  meanLogprobChange: number | null;
  largestLogprobChange: number | null;
  /** Continuations that one of the two alone holds impossible: infinite changes, left out of mean and largest. */
  impossibleToOne: number;
}

/**
 * Agreement of two sample logs on the items that both hold. An exact growth at gate 0 agrees on every item.
 *
 * @throws {ConfigError} when the logs have no item in common
 */
export function agreement(before: Iterable<LoggedSample>, after: Iterable<LoggedSample>): Agreement {
  const later = new Map([...after].map(loggedAnswer).map((answer) => [answer.key, answer]));
  let [items, same, scored, sum, largest, impossibleToOne] = [0, 0, 0, 0, 0, 0];
  for (const sample of before) {
    const ours = loggedAnswer(sample);
    const theirs = later.get(ours.key);
    if (theirs === undefined || theirs.prompt !== ours.prompt) continue;
    items++;
    if (ours.answer === theirs.answer) same++;
    for (const [i, logprob] of ours.logprobs.entries()) {
      const other = theirs.logprobs[i] ?? null; // null: lost, or the other log has no likelihoods
      if (logprob === null || other === null) continue;
      const change = logprob === other ? 0 : Math.abs(logprob - other);
      if (!Number.isFinite(change)) {
        impossibleToOne++;
        continue;
      }
      scored++;
      sum += change;
      largest = Math.max(largest, change);
    }
  }
  if (items === 0)
    throw new ConfigError("agreement: no item in both logs. Evaluate both models on the same tasks, difficulty and seed.");
  return {
    items,
    same,
    share: same / items,
    interval: wilson(same, items),
    meanLogprobChange: scored ? sum / scored : null,
    largestLogprobChange: scored ? largest : null,
    impossibleToOne,
  };
}
