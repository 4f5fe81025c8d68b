/** `filter_list`: pipelines over generated text. */

import { ConfigError } from "@espalier/core";
import { type ChoiceFilterOptions, multiChoiceFilter } from "../knowledge/choiceFilter.ts";
import { type Filter, majority, mapFilter, regexFilter, wordSortFilter } from "../knowledge/filters.ts";
import { numberFilter } from "../knowledge/numberWords.ts";
import { textsOf } from "../knowledge/task.ts";
import { lstrip, strip } from "../python/text.ts";
import { FunctionReference } from "./config.ts";

/** A step: text by text, or from the list of all answers to a shorter list. */
type Step = Filter["apply"] | { list: (texts: readonly string[]) => readonly string[] };
type Options = Readonly<Record<string, unknown>>;

const ofText = (options: Options, key: string, where: string): string => {
  if (typeof options[key] !== "string") throw new ConfigError(`${where}: ${key} is ${JSON.stringify(options[key])}, expected text. Correct the file.`);
  return options[key];
};
const regexOptions = ({ group_select: groupSelect = 0, fallback }: Options) => ({ groupSelect: Number(groupSelect), ...(typeof fallback === "string" && { fallback }) });
const choiceOptions = (options: Options): ChoiceFilterOptions => ({
  ...regexOptions(options),
  ignoreCase: options.ignore_case === true,
  ignorePunctuation: options.ignore_punctuation === true,
  ...(Array.isArray(options.regexes_to_ignore) && { regexesToIgnore: options.regexes_to_ignore.map(String) }),
});
const DEFAULT_PATTERN = "#### (\\-?[0-9\\.\\,]+)";

const byName: Record<string, (options: Options, where: string) => Step> = {
  take_first: () => ({ list: (texts) => texts.slice(0, 1) }),
  take_first_k({ k }, where) {
    if (!Number.isInteger(k) || (k as number) < 1) throw new ConfigError(`${where}: take_first_k has k ${JSON.stringify(k)}, expected a whole number from 1. Correct the file.`);
    return { list: (texts) => texts.slice(0, k as number) };
  },
  majority_vote: () => ({ list: (texts) => [majority(texts)] }),
  multi_choice_regex: (options) => multiChoiceFilter(String(options.regex_pattern ?? DEFAULT_PATTERN), { ...choiceOptions(options), choices: (doc) => textsOf(doc, "choices") }),
  regex: (options) => regexFilter(String(options.regex_pattern ?? DEFAULT_PATTERN), regexOptions(options)),
  remove_whitespace: () => strip,
  strip: () => strip,
  lstrip: () => lstrip,
  lowercase: () => (text) => text.toLowerCase(),
  uppercase: () => (text) => text.toUpperCase(),
  map(options, where) {
    const { mapping_dict: mapping, default_value: otherwise } = options;
    if (typeof mapping !== "object" || mapping === null) throw new ConfigError(`${where}: mapping_dict is ${JSON.stringify(mapping)}, expected a mapping. Correct the file.`);
    const known = new Map(Object.entries(mapping as Options).map(([key, value]) => [key, String(value)]));
    return (text) => known.get(text) ?? (otherwise === undefined || otherwise === null ? "None" : String(otherwise));
  },
};

/** Filters of Big-Bench Hard that are written in Python there. */
const byFunction: Record<string, (options: Options, where: string) => Step> = {
  "utils.MultiChoiceRegexFilter": (options, where) => multiChoiceFilter(ofText(options, "regex_pattern", where), choiceOptions(options)),
  "utils.WordSortFilter": () => wordSortFilter,
  "utils.NumberParseRegexFilter": (options, where) => numberFilter(ofText(options, "regex_pattern", where), regexOptions(options)),
  "utils.MapRegexFilter": (options) => mapFilter(options.regex_pattern_to_value as Record<string, string>, { ...regexOptions(options), ignoreCase: options.ignore_case === true }),
};

/** @throws {ConfigError} naming a filter that is unknown or written in Python */
export function filtersOf(list: unknown, where: string): Filter[] | undefined {
  if (list === undefined || list === null) return undefined;
  if (!Array.isArray(list)) throw new ConfigError(`${where}: filter_list is ${JSON.stringify(list)}, expected a list. Correct the file.`);
  return list.map((entry: { name?: string; filter?: Options[] }) => {
    if (typeof entry?.name !== "string" || !Array.isArray(entry.filter)) throw new ConfigError(`${where}: filter_list holds ${JSON.stringify(entry)?.slice(0, 80)}, expected name and filter. Correct the file.`);
    const steps = entry.filter.map((step) => stepOf(step ?? {}, where));
    const applyToAll: Filter["applyToAll"] = (texts, doc) =>
      steps.reduce<readonly string[]>((left, step) => ("list" in step ? step.list(left) : left.map((text) => step(text, doc))), texts)[0] ?? "";
    return { name: entry.name, apply: (text, doc) => applyToAll([text], doc), applyToAll };
  });
}

/** The fewest answers that the steps of a list need: the largest k of `take_first_k`. */
export function answersNeeded(list: unknown): number {
  const steps = Array.isArray(list) ? list.flatMap((entry: { filter?: Options[] } | null) => entry?.filter ?? []) : [];
  return Math.max(1, ...steps.map((step) => (step?.function === "take_first_k" ? Number(step.k) : 1)));
}

function stepOf({ function: name, ...options }: Options, where: string): Step {
  const [table, key] = name instanceof FunctionReference ? [byFunction, name.name] : [byName, String(name)];
  if (!Object.hasOwn(table, key)) {
    throw new ConfigError(`${where}: filter ${name instanceof FunctionReference ? "!function " : ""}${key}, expected one of ${[...Object.keys(byName), ...Object.keys(byFunction)].join(", ")}. Write the task in TypeScript.`);
  }
  return table[key](options, where);
}
