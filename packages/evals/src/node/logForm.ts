/** Samples as lines of a log: JSON has no infinities and no NaN, so those stand as the text that Python prints. */

import type { LoggedSample } from "../comparison/logged.ts";
import type { Sample } from "../evaluate.ts";
import type { AnsweredLikelihood, KnowledgeSample } from "../knowledge/sample.ts";
import { floatText } from "../results/floatText.ts";

const TEXTS: Readonly<Record<string, number>> = { "-inf": -Infinity, inf: Infinity, nan: Number.NaN };

const floatOf = <T>(value: T): T | number => (typeof value === "string" ? (TEXTS[value] ?? value) : value);

const isKnowledge = (sample: LoggedSample): sample is KnowledgeSample => "requests" in sample;

/** What a log keeps of a sample: `-inf` for a log-likelihood of -Infinity. */
export function toLog(sample: LoggedSample): object {
  return isKnowledge(sample) ? withNumbers(sample, floatText) : withLogprobs(sample, floatText);
}

/**
 * The sample that {@link toLog} was given. Logs of knowledge tests from before this form have null for -Infinity: only a
 * sample with a boundary error may have lost a continuation, in which they have it as well.
 */
export function fromLog<S extends LoggedSample>(line: S): S {
  if (!isKnowledge(line)) return withLogprobs(line, floatOf) as S;
  const { boundaryError } = line;
  const restored = (logprob: number | null): number | null => (logprob === null && !boundaryError ? -Infinity : floatOf(logprob));
  return withNumbers(line, floatOf, restored) as S;
}

type Convert = <T>(value: T) => T | number | string;

const withLogprobs = (sample: Sample, convert: Convert): object => ({ ...sample, logprobs: sample.logprobs.map(convert) });

function withNumbers(sample: KnowledgeSample, convert: Convert, logprobOf: (value: number | null) => unknown = convert): object {
  const answered = (answers: readonly AnsweredLikelihood[]) => answers.map(({ logprob, ...rest }) => ({ logprob: logprobOf(logprob), ...rest }));
  const { loglikelihoods, unconditional, scores } = sample;
  return {
    ...sample, // assigned below in the places they have here, so that a line keeps its order
    loglikelihoods: answered(loglikelihoods),
    ...(unconditional && { unconditional: answered(unconditional) }),
    scores: Object.fromEntries(Object.entries(scores).map(([name, score]) => [name, typeof score === "object" && score !== null ? score.map(convert) : convert(score)])),
  };
}
