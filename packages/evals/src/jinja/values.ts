/** Values of templates and what Python's operators say of them. */

import { DataError } from "@espalier/core";
import { PythonFloat, pythonRepr, pythonStr } from "../python/json.ts";

/** A tuple: a list that prints with round brackets. */
export class Tuple extends Array<Value> {}

/** A name or key that is not there: every use but `is defined` and `default` fails. */
export class Undefined {
  readonly #name: string; // private, so that nothing else passes for one

  constructor(name: string) {
    this.#name = name;
  }

  get label(): string {
    return this.#name;
  }
}

/** `namespace(...)`, whose attributes `set` may change within loops. */
export class Namespace {
  readonly fields: Map<string, Value>;

  constructor(fields: Iterable<[string, Value]>) {
    this.fields = new Map(fields);
  }
}

export type Callable = (positional: readonly Value[], named: Readonly<Record<string, Value>>) => Value;
export type Value = string | number | boolean | null | PythonFloat | Undefined | Namespace | Callable | readonly Value[] | { readonly [key: string]: Value };

export const fail = (what: string, expected: string): DataError => new DataError(`jinja: ${what}, expected ${expected}. Check the template against the columns of the data.`);

export function defined(value: Value): Exclude<Value, Undefined> {
  if (value instanceof Undefined) throw fail(`${value.label} is undefined`, "a column or a variable");
  return value;
}

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isDict = (value: Value): value is { readonly [key: string]: Value } =>
  typeof value === "object" && value !== null && !isList(value) && !(value instanceof PythonFloat) && !(value instanceof Undefined) && !(value instanceof Namespace);
export const isNumeric = (value: Value): value is number | boolean | PythonFloat => typeof value === "number" || typeof value === "boolean" || value instanceof PythonFloat;
export const isFloat = (value: Value): boolean => value instanceof PythonFloat || (typeof value === "number" && !Number.isInteger(value));

/** A number that Python holds as a float. */
export const float = (x: number): Value => (Number.isInteger(x) || Object.is(x, -0) ? new PythonFloat(x) : x);

export function numeric(value: Value, where: string): number {
  const known = defined(value);
  if (!isNumeric(known)) throw fail(`${where} of ${typeName(known)}`, "a number");
  return known instanceof PythonFloat ? known.value : Number(known);
}

export function integer(value: Value, where: string): number {
  const x = numeric(value, where);
  if (isFloat(value)) throw fail(`${where} of a float`, "a whole number");
  return x;
}

export function text(value: Value, where: string): string {
  const known = defined(value);
  if (typeof known !== "string") throw fail(`${where} of ${typeName(known)}`, "text");
  return known;
}

export function typeName(value: Value): string {
  if (value === null) return "None";
  if (typeof value === "function") return "a function";
  if (isFloat(value)) return "a float";
  return isList(value) ? "a list" : isDict(value) ? "a dict" : { string: "text", number: "an int", boolean: "a bool" }[typeof value as string] ?? "an object";
}

/** `str(value)` */
export function str(value: Value): string {
  const known = defined(value);
  if (typeof known === "function" || known instanceof Namespace) throw fail("a function or namespace printed", "a value");
  if (known instanceof Tuple) return `(${[...known].map(repr).join(", ")}${known.length === 1 ? "," : ""})`;
  if (isList(known)) return `[${known.map(repr).join(", ")}]`;
  if (isDict(known)) return `{${Object.entries(known).map(([key, item]) => `${repr(key)}: ${repr(item)}`).join(", ")}}`;
  return pythonStr(known);
}

const repr = (value: Value): string => (typeof value === "string" ? pythonRepr(value) : str(value));

export function truthy(value: Value): boolean {
  const known = defined(value);
  if (known instanceof PythonFloat) return known.value !== 0;
  if (isList(known)) return known.length > 0;
  if (isDict(known)) return Object.keys(known).length > 0;
  return Boolean(known);
}

export function equal(a: Value, b: Value): boolean {
  const [x, y] = [defined(a), defined(b)];
  if (isNumeric(x) && isNumeric(y)) return numeric(x, "==") === numeric(y, "==");
  if (isList(x) && isList(y)) return x.length === y.length && x instanceof Tuple === y instanceof Tuple && x.every((item, i) => equal(item, y[i]));
  if (isDict(x) && isDict(y)) {
    const keys = Object.keys(x);
    return keys.length === Object.keys(y).length && keys.every((key) => Object.hasOwn(y, key) && equal(x[key], y[key]));
  }
  return x === y;
}

/** Order of numbers, texts (by code point) and lists. */
export function compare(a: Value, b: Value): number {
  const [x, y] = [defined(a), defined(b)];
  if (isNumeric(x) && isNumeric(y)) return numeric(x, "<") - numeric(y, "<");
  if (typeof x === "string" && typeof y === "string") {
    const [s, t] = [[...x], [...y]];
    const i = s.findIndex((character, k) => character !== t[k]);
    return i < 0 ? s.length - t.length : s[i].codePointAt(0)! - (t[i]?.codePointAt(0) ?? -1);
  }
  if (isList(x) && isList(y)) {
    const i = x.findIndex((item, k) => k >= y.length || !equal(item, y[k]));
    return i < 0 ? x.length - y.length : i >= y.length ? 1 : compare(x[i], y[i]);
  }
  throw fail(`${typeName(x)} compared with ${typeName(y)}`, "two numbers, texts or lists");
}

/** `item in container` */
export function contains(container: Value, item: Value): boolean {
  const known = defined(container);
  if (typeof known === "string") return known.includes(text(item, "in"));
  if (isList(known)) return known.some((member) => equal(member, item));
  if (isDict(known)) return Object.hasOwn(known, str(item));
  throw fail(`in of ${typeName(known)}`, "text, a list or a dict");
}

/** Characters, items or keys. */
export function iterate(value: Value): Value[] {
  const known = defined(value);
  if (typeof known === "string") return [...known];
  if (isList(known)) return [...known];
  if (isDict(known)) return Object.keys(known);
  throw fail(`a loop over ${typeName(known)}`, "text, a list or a dict");
}

export function lengthOf(value: Value): number {
  return iterate(value).length;
}

/** `of[start:stop:step]` */
export function slice(of: Value, start: number | null, stop: number | null, step: number | null): Value {
  const by = step ?? 1;
  if (by === 0) throw fail("a slice with step 0", "another step");
  const items = iterate(of);
  const n = items.length;
  const bound = (at: number | null, missing: number) => {
    if (at === null) return missing;
    const shifted = at < 0 ? at + n : at;
    return by > 0 ? Math.min(Math.max(shifted, 0), n) : Math.min(Math.max(shifted, -1), n - 1);
  };
  const [from, to] = [bound(start, by > 0 ? 0 : n - 1), bound(stop, by > 0 ? n : -1)];
  const kept: Value[] = [];
  for (let i = from; by > 0 ? i < to : i > to; i += by) kept.push(items[i]);
  if (typeof of === "string") return kept.join("");
  return of instanceof Tuple ? Tuple.from(kept) : kept;
}
