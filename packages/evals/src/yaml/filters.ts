/** `filter_list`: pipelines over generated text. */

import { ConfigError } from "@espalier/core";
import { type Filter, mapFilter, multiChoiceFilter, regexFilter, wordSortFilter } from "../knowledge/filters.ts";
import { lstrip, strip } from "../python/text.ts";
import { FunctionReference } from "./config.ts";

type Apply = Filter["apply"];
type Options = Readonly<Record<string, unknown>>;

const ofText = (options: Options, key: string, where: string): string => {
  if (typeof options[key] !== "string") throw new ConfigError(`${where}: ${key} is ${JSON.stringify(options[key])}, expected text. Correct the file.`);
  return options[key];
};
const regexOptions = ({ group_select: groupSelect = 0, fallback }: Options) => ({ groupSelect: Number(groupSelect), ...(typeof fallback === "string" && { fallback }) });
const DEFAULT_PATTERN = "#### (\\-?[0-9\\.\\,]+)";

const byName: Record<string, (options: Options, where: string) => Apply> = {
  take_first: () => (text) => text,
  majority_vote: () => (text) => text, // of one answer
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
const byFunction: Record<string, (options: Options, where: string) => Apply> = {
  "utils.MultiChoiceRegexFilter": (options, where) => multiChoiceFilter(ofText(options, "regex_pattern", where)),
  "utils.WordSortFilter": () => wordSortFilter,
  "utils.NumberParseRegexFilter": (options, where) => regexFilter(ofText(options, "regex_pattern", where), regexOptions(options)),
  "utils.MapRegexFilter": (options) => mapFilter(options.regex_pattern_to_value as Record<string, string>),
};

/** @throws {ConfigError} naming a filter that is unknown or written in Python */
export function filtersOf(list: unknown, where: string): Filter[] | undefined {
  if (list === undefined || list === null) return undefined;
  if (!Array.isArray(list)) throw new ConfigError(`${where}: filter_list is ${JSON.stringify(list)}, expected a list. Correct the file.`);
  return list.map((entry: { name?: string; filter?: Options[] }) => {
    if (typeof entry?.name !== "string" || !Array.isArray(entry.filter)) throw new ConfigError(`${where}: filter_list holds ${JSON.stringify(entry)?.slice(0, 80)}, expected name and filter. Correct the file.`);
    const steps = entry.filter.map((step) => stepOf(step ?? {}, where));
    return { name: entry.name, apply: (text, doc) => steps.reduce((left, step) => step(left, doc), text) };
  });
}

function stepOf({ function: name, ...options }: Options, where: string): Apply {
  const [table, key] = name instanceof FunctionReference ? [byFunction, name.name] : [byName, String(name)];
  if (!Object.hasOwn(table, key)) {
    throw new ConfigError(`${where}: filter ${name instanceof FunctionReference ? "!function " : ""}${key}, expected one of ${[...Object.keys(byName), ...Object.keys(byFunction)].join(", ")}. Write the task in TypeScript.`);
  }
  return table[key](options, where);
}
