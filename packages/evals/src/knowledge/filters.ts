/** What happens to generated text before it is scored: named pipelines, as in lm-evaluation-harness. */

import { findAll, pythonRegex } from "../python/regex.ts";
import { splitWords, strip } from "../python/text.ts";
import type { Doc } from "./task.ts";

export interface Filter {
  readonly name: string;
  readonly apply: (text: string, doc: Doc) => string;
  /** Of a task that is asked several times: one text from all answers. Default: that of the first. */
  readonly applyToAll?: (texts: readonly string[], doc: Doc) => string;
}

export const INVALID = "[invalid]";

export interface RegexFilterOptions {
  /** Which match, counted from the end when negative. Default 0. */
  groupSelect?: number;
  fallback?: string;
}

/** The chosen match of a Python pattern, stripped; of several groups the first that took part. */
export function regexFilter(pattern: string, { groupSelect = 0, fallback = INVALID }: RegexFilterOptions = {}): (text: string) => string {
  const compiled = pythonRegex(pattern);
  return (text) => {
    const matches = findAll(compiled, text);
    return matches.at(groupSelect) === undefined ? fallback : strip(selectMatch(matches, groupSelect) ?? fallback);
  };
}

/** The match at a place, counted from the end when negative; of several groups the first that took part. */
export function selectMatch(matches: readonly (string | string[])[], groupSelect: number): string | undefined {
  const match = matches.at(groupSelect);
  return Array.isArray(match) ? match.find((part) => part !== "") : match;
}

/** The text that occurs most often; of equally frequent ones the first. */
export function majority(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return [...counts].find(([, count]) => count === most)?.[0] ?? "";
}

/** The list's words in the order in which the text names them last (Big-Bench Hard's word sorting). */
export function wordSortFilter(text: string, doc: Doc): string {
  const words = splitWords(String(doc.input).split("List:")[1] ?? "");
  if (words.length === 0) return "";
  const found = findAll(pythonRegex(words.map((word) => `\\b${word}\\b`).join("|")), text) as string[];
  return [...new Set(found.reverse())].reverse().join(" ");
}


export interface MapFilterOptions extends RegexFilterOptions {
  /** Lower case before matching. Default true. */
  ignoreCase?: boolean;
}

/** The value of the first pattern that matches in what all patterns together match. */
export function mapFilter(values: Readonly<Record<string, string>>, { groupSelect = 0, fallback = INVALID, ignoreCase = true }: MapFilterOptions = {}): (text: string) => string {
  const all = pythonRegex(Object.keys(values).join("|"));
  const each = Object.entries(values).map(([pattern, value]) => [pythonRegex(pattern), value] as const);
  return (text) => {
    const whole = selectMatch(findAll(all, ignoreCase ? text.toLowerCase() : text), groupSelect);
    return (whole !== undefined && each.find(([pattern]) => findAll(pattern, whole).length > 0)?.[1]) || fallback;
  };
}

export interface ExactMatchOptions {
  /** Python patterns taken out of both texts first. */
  regexesToIgnore?: readonly string[];
  ignoreCase?: boolean;
  ignorePunctuation?: boolean;
  ignoreNumbers?: boolean;
}

const ASCII_PUNCTUATION = /[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g;

/** Whether two texts are equal after what is to be ignored has been taken out. */
export function exactMatch({ regexesToIgnore = [], ignoreCase, ignorePunctuation, ignoreNumbers }: ExactMatchOptions = {}): (prediction: string, reference: string) => boolean {
  const ignored = regexesToIgnore.map((pattern) => pythonRegex(pattern));
  const normalise = (text: string): string => {
    let left = ignored.reduce((rest, pattern) => rest.replace(pattern, ""), text);
    if (ignoreCase) left = left.toLowerCase();
    if (ignorePunctuation) left = left.replace(ASCII_PUNCTUATION, "");
    if (ignoreNumbers) left = left.replace(/[0-9]/g, "");
    return left;
  };
  return (prediction, reference) => normalise(prediction) === normalise(reference);
}
