/** What happens to generated text before it is scored: named pipelines, as in lm-evaluation-harness. */

import { findAll, pythonRegex } from "../python/regex.ts";
import { splitWords, strip } from "../python/text.ts";
import type { Doc } from "./task.ts";

export interface Filter {
  readonly name: string;
  readonly apply: (text: string, doc: Doc) => string;
}

const INVALID = "[invalid]";

export interface RegexFilterOptions {
  /** Which match, counted from the end when negative. Default 0. */
  groupSelect?: number;
  fallback?: string;
}

/** The chosen match of a Python pattern, stripped; of several groups the first that took part. */
export function regexFilter(pattern: string, { groupSelect = 0, fallback = INVALID }: RegexFilterOptions = {}): (text: string) => string {
  const compiled = pythonRegex(pattern);
  return (text) => {
    const match = findAll(compiled, text).at(groupSelect);
    if (match === undefined) return fallback;
    const group = Array.isArray(match) ? (match.find((part) => part !== "") ?? fallback) : match;
    return strip(group);
  };
}

/** The list's words in the order in which the text names them last (Big-Bench Hard's word sorting). */
export function wordSortFilter(text: string, doc: Doc): string {
  const words = splitWords(String(doc.input).split("List:")[1] ?? "");
  if (words.length === 0) return "";
  const found = findAll(pythonRegex(words.map((word) => `\\b${word}\\b`).join("|")), text) as string[];
  return [...new Set(found.reverse())].reverse().join(" ");
}

const PUNCTUATION = /\p{P}/gu;

/**
 * The letter of a choice `(A)`: as the pattern finds it, else by the words of a choice, else behind a colon
 * (Big-Bench Hard's multiple choice, case and punctuation ignored in the words).
 */
export function multiChoiceFilter(pattern: string): (text: string, doc: Doc) => string {
  const direct = pythonRegex(pattern);
  const plain = (text: string) => text.toLowerCase().replace(PUNCTUATION, "");
  return (text, doc) => {
    const [first] = findAll(direct, text);
    if (first !== undefined) return strip(String(first));
    const choices = findAll(pythonRegex("\\([A-Z]\\)([^\\n^(]*)"), String(doc.input)).map((choice) => plain(strip(String(choice))));
    const letter = (i: number) => `(${String.fromCharCode(65 + i)})`;
    const response = plain(text);
    // The leftmost choice named; of two at the same place the earlier in the list, as in an alternation.
    const places = choices.map((choice) => response.indexOf(choice)).map((at) => (at < 0 ? Number.POSITIVE_INFINITY : at));
    const best = places.indexOf(Math.min(...places));
    // Of two choices with the same words the later letter counts.
    if (best >= 0 && Number.isFinite(places[best]) && choices[best] !== "") return letter(choices.lastIndexOf(choices[best]));
    const letters = choices.map((_, i) => String.fromCharCode(65 + i)).join("|");
    const behindColon = findAll(pythonRegex(`:[\\s]*(${letters})`), text)[0] as string | undefined;
    return behindColon ? `(${behindColon})` : INVALID;
  };
}

/** The number that matches; words for numbers are not read, which lm-evaluation-harness does. */
export const numberFilter = (pattern: string): ((text: string) => string) => regexFilter(pattern);

/** The value whose pattern matches first, with the response in lower case. */
export function mapFilter(values: Readonly<Record<string, string>>): (text: string) => string {
  const all = pythonRegex(Object.keys(values).join("|"));
  const each = Object.entries(values).map(([pattern, value]) => [pythonRegex(pattern), value] as const);
  return (text) => {
    const found = findAll(all, text.toLowerCase())[0];
    const whole = Array.isArray(found) ? found.find((part) => part !== "") : found;
    return (whole !== undefined && each.find(([pattern]) => findAll(pattern, whole).length > 0)?.[1]) || INVALID;
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
