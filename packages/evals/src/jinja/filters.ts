/** Jinja's filters and tests that have one answer, and `regex_replace`, which the harness adds. */

import { ConfigError } from "@espalier/core";
import { pythonRegex } from "../python/regex.ts";
import { pythonJson } from "../python/json.ts";
import { capitalize, strip } from "../python/text.ts";
import { formatPercent } from "./format.ts";
import { isLower, isUpper, replaceText } from "./methods.ts";
import { compare, contains, defined, equal, fail, float, integer, isDict, isFloat, isList, isNumeric, iterate, lengthOf, numeric, str, text, truthy, Tuple, Undefined, type Value } from "./values.ts";

type Filter = (value: Value, positional: readonly Value[], named: Readonly<Record<string, Value>>) => Value;

/** `a.b.0` within an item. */
function attributeOf(item: Value, path: Value): Value {
  return str(path).split(".").reduce<Value>((at, key) => {
    if (isList(at)) return at[Number(key)] ?? new Undefined(key);
    return isDict(at) && Object.hasOwn(at, key) ? at[key] : new Undefined(key);
  }, item);
}

const keyed = (item: Value, attribute: Value | undefined, caseSensitive: boolean): Value => {
  const key = attribute === undefined || attribute === null ? item : attributeOf(item, attribute);
  return typeof key === "string" && !caseSensitive ? key.toLowerCase() : key;
};

function sorted(value: Value, { reverse = false, attribute, case_sensitive = false }: Readonly<Record<string, Value>>): Value {
  const items = iterate(value).map((item, i) => ({ item, i, key: keyed(item, attribute, truthy(case_sensitive)) }));
  const sign = truthy(reverse) ? -1 : 1; // Python keeps equal items in their order either way
  return items.sort((a, b) => sign * compare(a.key, b.key) || a.i - b.i).map(({ item }) => item);
}

const roundHalfEven = (x: number): number => {
  const low = Math.floor(x);
  return x - low === 0.5 ? low + (low % 2 === 0 ? 0 : 1) : Math.round(x);
};

function toInteger(value: Value, otherwise: Value): Value {
  if (typeof value === "string") {
    const plain = strip(value);
    return /^[+-]?\d+$/.test(plain) ? Number(plain) : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Math.trunc(Number(plain)) : otherwise;
  }
  return isNumeric(value) ? Math.trunc(numeric(value, "int")) : otherwise;
}

function joined(value: Value, by: Value, attribute: Value | undefined): string {
  const items = attribute === undefined || attribute === null ? iterate(value) : iterate(value).map((item) => attributeOf(item, attribute));
  return items.map(str).join(str(by));
}

const first = (items: readonly Value[], where: string): Value => (items.length > 0 ? items[0] : new Undefined(`${where} of an empty sequence`));

const extreme = (value: Value, sign: number, named: Readonly<Record<string, Value>>): Value =>
  first([...(sorted(value, { ...named, reverse: sign < 0 }) as Value[])], "min or max");

const filters: Record<string, Filter> = {
  string: (value) => str(value),
  length: lengthOf,
  count: lengthOf,
  join: (value, [by = "", attribute], named) => joined(value, named.d ?? by, named.attribute ?? attribute),
  int: (value, [otherwise = 0], named) => toInteger(defined(value), named.default ?? otherwise),
  float: (value, [otherwise = float(0)]) => {
    const known = defined(value);
    const x = typeof known === "string" ? (/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(known) ? Number(known) : undefined) : isNumeric(known) ? numeric(known, "float") : undefined;
    return x === undefined ? otherwise : float(x);
  },
  trim: (value) => strip(str(value)),
  lower: (value) => str(value).toLowerCase(),
  upper: (value) => str(value).toUpperCase(),
  // Words end at blanks, hyphens and opening brackets here, unlike in str.title.
  title: (value) => str(value).split(/([-\s({[<]+)/u).map((word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase()).join(""),
  capitalize: (value) => capitalize(str(value)),
  replace: (value, [from, to, count = null]) => replaceText(str(value), str(from), str(to), count === null ? -1 : integer(count, "replace")),
  first: (value) => first(iterate(value), "first"),
  last: (value) => first(iterate(value).reverse(), "last"),
  list: (value) => iterate(value),
  reverse: (value) => (typeof value === "string" ? iterate(value).reverse().join("") : iterate(value).reverse()),
  sort: (value, [reverse = false, caseSensitive = false, attribute = null], named) => sorted(value, { reverse, case_sensitive: caseSensitive, attribute, ...named }),
  unique: (value, [caseSensitive = false, attribute = null], named) => {
    const kept: Value[] = [];
    const keyOf = (item: Value) => keyed(item, named.attribute ?? attribute, truthy(named.case_sensitive ?? caseSensitive));
    for (const item of iterate(value)) if (!kept.some((known) => equal(keyOf(known), keyOf(item)))) kept.push(item);
    return kept;
  },
  min: (value, _, named) => extreme(value, 1, named),
  max: (value, _, named) => extreme(value, -1, named),
  sum: (value, [attribute = null, start = 0], named) => {
    const by = named.attribute ?? attribute;
    const items = iterate(value).map((item) => (by === null ? item : attributeOf(item, by)));
    const total = items.reduce<number>((sum, item) => sum + numeric(item, "sum"), numeric(start, "sum"));
    return items.some(isFloat) || isFloat(start) ? float(total) : total;
  },
  abs: (value) => (isFloat(value) ? float(Math.abs(numeric(value, "abs"))) : Math.abs(numeric(value, "abs"))),
  round: (value, [precision = 0, method = "common"], named) => {
    const factor = 10 ** integer(named.precision ?? precision, "round");
    const way = { common: roundHalfEven, ceil: Math.ceil, floor: Math.floor }[str(named.method ?? method)];
    if (way === undefined) throw fail(`round by ${str(method)}`, "common, ceil or floor");
    const rounded = way(numeric(value, "round") * factor) / factor;
    return way === roundHalfEven && !isFloat(value) ? rounded : float(rounded); // Python rounds an int to an int
  },
  default: (value, [otherwise = "", ifFalse = false], named) => (value instanceof Undefined || (truthy(named.boolean ?? ifFalse) && !truthy(value)) ? (named.default_value ?? otherwise) : value),
  map: (value, [name, ...rest], named) => iterate(value).map((item) => (named.attribute === undefined ? applyFilter(text(name, "map"), item, rest, {}) : attributeOrDefault(item, named))),
  select: (value, [name, ...rest]) => iterate(value).filter((item) => passes(item, name, rest)),
  reject: (value, [name, ...rest]) => iterate(value).filter((item) => !passes(item, name, rest)),
  selectattr: (value, [attribute, name, ...rest]) => iterate(value).filter((item) => passes(attributeOf(item, attribute), name, rest)),
  rejectattr: (value, [attribute, name, ...rest]) => iterate(value).filter((item) => !passes(attributeOf(item, attribute), name, rest)),
  items: (value) => (value instanceof Undefined ? [] : isDict(value) ? Object.entries(value).map((entry) => Tuple.from<Value>(entry)) : notADict(value)),
  dictsort: (value) => (isDict(value) ? (sorted(Object.entries(value).map((entry) => Tuple.from<Value>(entry)), { attribute: "0" }) as Value) : notADict(value)),
  wordcount: (value) => str(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0,
  safe: (value) => defined(value),
  format: (value, given) => formatPercent(text(value, "format"), Tuple.from(given)),
  tojson: (value, [indent]) => pythonJson(plain(value), { sortKeys: true, ...(typeof indent === "number" && { indent }) }).replace(/[<>&']/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`),
  indent: (value, [width = 4, firstLine = false, blank = false], named) => {
    const margin = typeof (named.width ?? width) === "string" ? str(named.width ?? width) : " ".repeat(Math.min(1000, integer(named.width ?? width, "indent")));
    const [head, ...lines] = str(value).split("\n");
    const more = lines.map((line) => (line === "" && !truthy(named.blank ?? blank) ? line : margin + line));
    return [truthy(named.first ?? firstLine) ? margin + head : head, ...more].join("\n");
  },
  regex_replace: (value, [pattern, replacement, count = 0], named) => regexReplace(text(value, "regex_replace"), str(named.pattern ?? pattern), str(named.repl ?? replacement), integer(named.count ?? count, "regex_replace")),
};
filters.d = filters.default;

function notADict(value: Value): never {
  throw fail(`items of ${str(value).slice(0, 40)}`, "a dict");
}

const attributeOrDefault = (item: Value, named: Readonly<Record<string, Value>>): Value => {
  const found = attributeOf(item, named.attribute);
  return found instanceof Undefined && named.default !== undefined ? named.default : found;
};

const passes = (item: Value, name: Value | undefined, rest: readonly Value[]): boolean => (name === undefined ? truthy(item) : applyTest(text(name, "select"), item, rest));

/** Values as `json.dumps` takes them. */
function plain(value: Value): unknown {
  const known = defined(value);
  if (isList(known)) return known.map(plain);
  return isDict(known) ? Object.fromEntries(Object.entries(known).map(([key, item]) => [key, plain(item)])) : known;
}

/** `re.sub(pattern, replacement, value, count)`; the replacement may name groups by `\1` or `\g<name>`. */
function regexReplace(value: string, pattern: string, replacement: string, count: number): string {
  let left = count <= 0 ? Number.POSITIVE_INFINITY : count;
  return value.replace(pythonRegex(pattern), (...match: unknown[]) => {
    if (left-- <= 0) return match[0] as string;
    const groups = typeof match.at(-1) === "object" ? (match.at(-1) as Record<string, string>) : {};
    return replacement.replace(/\\(?:g<(\w+)>|(\d{1,2})|([ntr\\]))/g, (_, name?: string, digits?: string, escape?: string) => {
      if (escape !== undefined) return { n: "\n", t: "\t", r: "\r", "\\": "\\" }[escape]!;
      const key = name ?? digits!;
      return String((/^\d+$/.test(key) ? match[Number(key)] : groups[key]) ?? "");
    });
  });
}

/** @throws {ConfigError} for a filter that is not in the subset */
export function applyFilter(name: string, value: Value, positional: readonly Value[], named: Readonly<Record<string, Value>>): Value {
  const filter = Object.hasOwn(filters, name) ? filters[name] : undefined;
  if (filter === undefined) throw new ConfigError(`jinja: filter ${name}, expected one of ${Object.keys(filters).join(", ")}. Rewrite the template.`);
  return filter(value, positional, named);
}

const tests: Record<string, (value: Value, given: readonly Value[]) => boolean> = {
  defined: (value) => !(value instanceof Undefined),
  undefined: (value) => value instanceof Undefined,
  none: (value) => defined(value) === null,
  string: (value) => typeof defined(value) === "string",
  number: (value) => isNumeric(defined(value)),
  integer: (value) => typeof defined(value) === "number" && !isFloat(value),
  float: (value) => isFloat(defined(value)),
  boolean: (value) => typeof defined(value) === "boolean",
  true: (value) => defined(value) === true,
  false: (value) => defined(value) === false,
  mapping: (value) => isDict(defined(value)),
  sequence: (value) => typeof defined(value) === "string" || isList(value) || isDict(value),
  iterable: (value) => typeof defined(value) === "string" || isList(value) || isDict(value),
  even: (value) => integer(value, "even") % 2 === 0,
  odd: (value) => Math.abs(integer(value, "odd") % 2) === 1,
  divisibleby: (value, [n]) => integer(value, "divisibleby") % integer(n, "divisibleby") === 0,
  lower: (value) => isLower(str(value)),
  upper: (value) => isUpper(str(value)),
  in: (value, [container]) => contains(container, value),
  eq: (value, [other]) => equal(value, other),
  equalto: (value, [other]) => equal(value, other),
  ne: (value, [other]) => !equal(value, other),
  gt: (value, [other]) => compare(value, other) > 0,
  ge: (value, [other]) => compare(value, other) >= 0,
  lt: (value, [other]) => compare(value, other) < 0,
  le: (value, [other]) => compare(value, other) <= 0,
};
for (const [symbol, name] of [["==", "eq"], ["!=", "ne"], [">", "gt"], [">=", "ge"], ["<", "lt"], ["<=", "le"]]) tests[symbol] = tests[name];

/** @throws {ConfigError} for a test that is not in the subset */
export function applyTest(name: string, value: Value, given: readonly Value[]): boolean {
  const test = Object.hasOwn(tests, name) ? tests[name] : undefined;
  if (test === undefined) throw new ConfigError(`jinja: test ${name}, expected one of ${Object.keys(tests).join(", ")}. Rewrite the template.`);
  return test(value, given);
}
