/** Arithmetic of Python on template values. */

import { compare, contains, defined, equal, fail, float, integer, isFloat, isList, isNumeric, numeric, str, Tuple, typeName, type Value } from "./values.ts";
import { formatPercent } from "./format.ts";

/** Longer texts and lists than this are an accident or an attack. */
export const MAX_LENGTH = 10_000_000;

function limited<T extends { length: number }>(value: T): T {
  if (value.length > MAX_LENGTH) throw fail(`a value of ${value.length} items`, `at most ${MAX_LENGTH}`);
  return value;
}

export function binary(operator: string, left: Value, right: Value): Value {
  if (operator === "~") return limited(str(left) + str(right));
  const [a, b] = [defined(left), defined(right)];
  if (operator === "%" && typeof a === "string") return limited(formatPercent(a, b));
  if (operator === "+") {
    if (typeof a === "string" && typeof b === "string") return limited(a + b);
    if (isList(a) && isList(b) && a instanceof Tuple === b instanceof Tuple) return limited(a instanceof Tuple ? Tuple.from([...a, ...b]) : [...a, ...b]);
  }
  if (operator === "*") {
    const [sequence, times] = typeof a === "string" || isList(a) ? [a, b] : [b, a];
    if (typeof sequence === "string" || isList(sequence)) return repeat(sequence, integer(times, "*"));
  }
  if (!isNumeric(a) || !isNumeric(b)) throw fail(`${typeName(a)} ${operator} ${typeName(b)}`, "two numbers, or texts and lists where Python allows them");
  return arithmetic(operator, numeric(a, operator), numeric(b, operator), isFloat(a) || isFloat(b));
}

function repeat(sequence: string | readonly Value[], times: number): Value {
  const count = Math.max(0, times);
  if (sequence.length * count > MAX_LENGTH) throw fail(`a value of ${sequence.length * count} items`, `at most ${MAX_LENGTH}`);
  if (typeof sequence === "string") return sequence.repeat(count);
  const items = Array.from({ length: count }, () => [...sequence]).flat();
  return sequence instanceof Tuple ? Tuple.from(items) : items;
}

function arithmetic(operator: string, a: number, b: number, asFloat: boolean): Value {
  if (["/", "//", "%"].includes(operator) && b === 0) throw fail(`${a} ${operator} 0`, "another divisor");
  const x = { "+": a + b, "-": a - b, "*": a * b, "/": a / b, "//": Math.floor(a / b), "%": a - Math.floor(a / b) * b, "**": a ** b }[operator]!;
  if (asFloat || operator === "/" || (operator === "**" && b < 0)) return float(x);
  if (!Number.isSafeInteger(x)) throw fail(`${a} ${operator} ${b}`, "a result below 2^53");
  return x;
}

export function compareBy(operator: string, a: Value, b: Value): boolean {
  if (operator === "==") return equal(a, b);
  if (operator === "!=") return !equal(a, b);
  if (operator === "in") return contains(b, a);
  if (operator === "not in") return !contains(b, a);
  const order = compare(a, b);
  return { "<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0 }[operator]!;
}
