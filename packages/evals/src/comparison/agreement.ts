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
  /** Mean and largest |a - b| of the log-likelihoods of the same continuations, in nats; null where none were scored. */
  meanLogprobChange: number | null;
  largestLogprobChange: number | null;
}

/**
 * Agreement of two sample logs on the items that both hold. An exact growth at gate 0 agrees on every item.
 *
 * @throws {ConfigError} when the logs have no item in common
 */
export function agreement(before: Iterable<LoggedSample>, after: Iterable<LoggedSample>): Agreement {
  const later = new Map([...after].map(loggedAnswer).map((answer) => [answer.key, answer]));
  let [items, same, scored, sum, largest] = [0, 0, 0, 0, 0];
  for (const sample of before) {
    const ours = loggedAnswer(sample);
    const theirs = later.get(ours.key);
    if (theirs === undefined || theirs.prompt !== ours.prompt) continue;
    items++;
    if (ours.answer === theirs.answer) same++;
    if (ours.logprobs.length !== theirs.logprobs.length) continue;
    for (const [i, logprob] of ours.logprobs.entries()) {
      const change = Math.abs(logprob - theirs.logprobs[i]!);
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
  };
}
