/** Which choice a free answer names, as a letter in brackets. */

import { escapeRegex, findAll, pythonRegex } from "../python/regex.ts";
import { strip } from "../python/text.ts";
import { INVALID, type RegexFilterOptions, selectMatch } from "./filters.ts";
import type { Doc } from "./task.ts";

/** What is taken out of choices and answer before one is looked for in the other. */
export interface IgnoreOptions {
  /** Python patterns. */
  regexesToIgnore?: readonly string[];
  ignoreCase?: boolean;
  /** All of Unicode's category P. */
  ignorePunctuation?: boolean;
}

export interface ChoiceFilterOptions extends RegexFilterOptions, IgnoreOptions {
  /** Texts of the choices, without letters. Default: those that the column `input` writes as `(A) text`. */
  choices?: (doc: Doc) => readonly string[];
}

/** Texts without what is to be ignored. */
export function ignoring({ regexesToIgnore = [], ignoreCase = false, ignorePunctuation = false }: IgnoreOptions): (text: string) => string {
  const ignored = regexesToIgnore.map((pattern) => pythonRegex(pattern));
  return (text) => {
    const left = ignored.reduce((rest, pattern) => rest.replace(pattern, ""), text);
    const cased = ignoreCase ? left.toLowerCase() : left;
    return ignorePunctuation ? cased.replace(/\p{P}/gu, "") : cased;
  };
}

const lettered = (doc: Doc): string[] => findAll(pythonRegex("\\([A-Z]\\)([^\\n^(]*)"), String(doc.input)).map(String);

/**
 * The letter of a choice, `(A)`: as the pattern finds it, else by the words of a choice, else by a letter behind a colon;
 * `fallback` where none of them does. Of choices with the same words the last one counts.
 *
 * @param pattern  Python's; its match is given as it stands
 */
export function multiChoiceFilter(pattern: string, { choices: choicesOf = lettered, groupSelect = 0, fallback = INVALID, ...ignore }: ChoiceFilterOptions = {}): (text: string, doc: Doc) => string {
  const direct = pythonRegex(pattern);
  const plain = ignoring(ignore);
  const select = (found: RegExp, text: string): string => {
    const match = selectMatch(findAll(found, text), groupSelect);
    return match === undefined ? "" : strip(match);
  };
  return (text, doc) => {
    const found = select(direct, text);
    if (found !== "") return found;
    const choices = choicesOf(doc).map((choice) => plain(strip(choice)));
    const letters = choices.map((_, i) => String.fromCharCode(65 + i));
    const words = select(pythonRegex(choices.map(escapeRegex).join("|")), plain(text));
    if (words !== "") return choices.includes(words) ? `(${letters[choices.lastIndexOf(words)]})` : words;
    const letter = select(pythonRegex(`:[\\s]*(${letters.join("|")})`), text);
    return letter === "" ? fallback : `(${letter})`;
  };
}
