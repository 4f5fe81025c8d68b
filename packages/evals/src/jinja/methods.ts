/** Methods of Python's text, list and dict that templates call. */

import { capitalize, codePoints, PYTHON_SPACE, splitWords, strip } from "../python/text.ts";
import { formatBraces } from "./format.ts";
import { type Callable, equal, fail, integer, isDict, isList, iterate, str, text, Tuple, type Value } from "./values.ts";

type Method<T> = (self: T, positional: readonly Value[], named: Readonly<Record<string, Value>>) => Value;

const optional = (value: Value | undefined): value is Exclude<Value, null> => value !== undefined && value !== null;

/** Strips white space, or the characters given. */
function stripped(self: string, [given]: readonly Value[], ends: "both" | "left" | "right"): string {
  const characters = [...self];
  const set = optional(given) ? new Set(text(given, "strip")) : undefined;
  const drop = (character: string) => (set === undefined ? strip(character) === "" : set.has(character));
  let [from, to] = [0, characters.length];
  if (ends !== "right") while (from < to && drop(characters[from])) from++;
  if (ends !== "left") while (to > from && drop(characters[to - 1])) to--;
  return characters.slice(from, to).join("");
}

function split(self: string, [separator = null, limit = -1]: readonly Value[]): string[] {
  const most = integer(limit, "split");
  if (separator === null) {
    if (most < 0) return splitWords(self);
    const words: string[] = [];
    let left = stripped(self, [], "left");
    while (left !== "" && words.length < most) {
      const [word] = left.split(new RegExp(`[${PYTHON_SPACE}]`, "u"), 1);
      words.push(word);
      left = stripped(left.slice(word.length), [], "left");
    }
    return left === "" ? words : [...words, left];
  }
  const by = text(separator, "split");
  if (by === "") throw fail("split by an empty text", "a separator");
  const parts = self.split(by);
  return most < 0 || parts.length <= most + 1 ? parts : [...parts.slice(0, most), parts.slice(most).join(by)];
}

function splitFromEnd(self: string, [separator = null, limit = -1]: readonly Value[]): string[] {
  const most = integer(limit, "rsplit");
  const parts = split(self, [separator]);
  if (most < 0 || parts.length <= most + 1) return parts;
  if (separator === null) throw fail("rsplit by white space with a limit", "a separator");
  const at = parts.length - most;
  return [parts.slice(0, at).join(text(separator, "rsplit")), ...parts.slice(at)];
}

export function replaceText(self: string, from: string, to: string, count = -1): string {
  if (count < 0) return from === "" ? to + [...self].map((character) => character + to).join("") : self.split(from).join(to);
  if (from === "") throw fail("replace of an empty text with a count", "a text");
  const parts = self.split(from);
  const at = Math.min(count, parts.length - 1);
  return [...parts.slice(0, at), parts.slice(at).join(from)].reduce((done, part, i) => (i === 0 ? part : done + to + part), "");
}

/** Position of a part in code points; -1 when it is not there. */
function find(self: string, [part]: readonly Value[], last = false): number {
  const at = last ? self.lastIndexOf(text(part, "find")) : self.indexOf(text(part, "find"));
  return at < 0 ? -1 : codePoints(self.slice(0, at));
}

const anyOf = (value: Value, holds: (part: string) => boolean): boolean => (isList(value) ? value.some((part) => holds(text(part, "startswith"))) : holds(text(value, "startswith")));
const letters = (self: string, pattern: RegExp): boolean => self !== "" && pattern.test(self);

export function isUpper(self: string): boolean {
  return self !== self.toLowerCase() && self === self.toUpperCase();
}

export function isLower(self: string): boolean {
  return self !== self.toUpperCase() && self === self.toLowerCase();
}

const textMethods: Record<string, Method<string>> = {
  strip: (self, given) => stripped(self, given, "both"),
  lstrip: (self, given) => stripped(self, given, "left"),
  rstrip: (self, given) => stripped(self, given, "right"),
  split: (self, given, named) => split(self, [given[0] ?? named.sep ?? null, given[1] ?? named.maxsplit ?? -1]),
  rsplit: (self, given, named) => splitFromEnd(self, [given[0] ?? named.sep ?? null, given[1] ?? named.maxsplit ?? -1]),
  splitlines: (self) => self.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/).filter((line, i, all) => i < all.length - 1 || line !== ""),
  partition: (self, [by]) => {
    const at = self.indexOf(text(by, "partition"));
    return Tuple.from(at < 0 ? [self, "", ""] : [self.slice(0, at), by, self.slice(at + (by as string).length)]);
  },
  join: (self, [items]) => iterate(items).map((item) => text(item, "join")).join(self),
  replace: (self, [from, to, count]) => replaceText(self, text(from, "replace"), text(to, "replace"), optional(count) ? integer(count, "replace") : -1),
  lower: (self) => self.toLowerCase(),
  upper: (self) => self.toUpperCase(),
  capitalize: (self) => capitalize(self),
  title: (self) => titled(self),
  startswith: (self, [part]) => anyOf(part, (prefix) => self.startsWith(prefix)),
  endswith: (self, [part]) => anyOf(part, (suffix) => self.endsWith(suffix)),
  removeprefix: (self, [part]) => (self.startsWith(text(part, "removeprefix")) ? self.slice((part as string).length) : self),
  removesuffix: (self, [part]) => (part !== "" && self.endsWith(text(part, "removesuffix")) ? self.slice(0, -(part as string).length) : self),
  find: (self, given) => find(self, given),
  rfind: (self, given) => find(self, given, true),
  index: (self, given) => {
    const at = find(self, given);
    if (at < 0) throw fail(`${JSON.stringify(given[0])} in index of ${JSON.stringify(self.slice(0, 60))}`, "a part of it");
    return at;
  },
  count: (self, [part]) => (part === "" ? codePoints(self) + 1 : self.split(text(part, "count")).length - 1),
  format: (self, given, named) => formatBraces(self, given, named),
  isdigit: (self) => letters(self, /^[\p{Nd}²³¹⁰⁴-⁹₀-₉]+$/u),
  isnumeric: (self) => letters(self, /^\p{N}+$/u),
  isdecimal: (self) => letters(self, /^\p{Nd}+$/u),
  isalpha: (self) => letters(self, /^\p{L}+$/u),
  isalnum: (self) => letters(self, /^[\p{L}\p{N}]+$/u),
  isupper: isUpper,
  islower: isLower,
  isspace: (self) => self !== "" && strip(self) === "",
  zfill: (self, [width]) => (/^[+-]/.test(self) ? self[0] : "") + self.replace(/^[+-]/, "").padStart(Math.min(10_000, integer(width, "zfill")) - Number(/^[+-]/.test(self)), "0"),
};

/** `str.title()`: each run of letters in title case. */
const titled = (self: string): string => self.replace(/\p{L}+/gu, (word) => capitalize(word));

const listMethods: Record<string, Method<readonly Value[]>> = {
  index: (self, [item]) => {
    const at = self.findIndex((member) => equal(member, item));
    if (at < 0) throw fail(`${str([item])} in index of ${str(self).slice(0, 80)}`, "an item of it");
    return at;
  },
  count: (self, [item]) => self.filter((member) => equal(member, item)).length,
  copy: (self) => [...self],
  append: (self, [item]) => {
    (self as Value[]).push(item);
    return null;
  },
};

const dictMethods: Record<string, Method<{ readonly [key: string]: Value }>> = {
  get: (self, [key, otherwise = null]) => (Object.hasOwn(self, str(key)) ? self[str(key)] : otherwise),
  keys: (self) => Object.keys(self),
  values: (self) => Object.values(self),
  items: (self) => Object.entries(self).map((entry) => Tuple.from<Value>(entry)),
};

/** The method `name` of a value; undefined where Python's has none, or none of these. */
export function methodOf(value: Value, name: string): Callable | undefined {
  const bind = <T extends Value>(table: Record<string, Method<T>>, self: T): Callable | undefined => (Object.hasOwn(table, name) ? (positional, named) => table[name](self, positional, named) : undefined);
  if (typeof value === "string") return bind(textMethods, value);
  if (isList(value)) return bind(listMethods, value);
  if (isDict(value)) return bind(dictMethods, value);
  return undefined;
}
