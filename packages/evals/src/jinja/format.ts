/** `"..." % values` and `"...".format(...)`: the conversions that task files use. */

import { Tuple, type Value, fail, isDict, isFloat, isList, numeric, str } from "./values.ts";
import { pythonRepr } from "../python/json.ts";

/** `template % values` with s, r, d, i, f and %%; flags `-`, `0`, `+`, width and precision. */
export function formatPercent(template: string, values: Value): string {
  const list = values instanceof Tuple ? [...values] : [values];
  let next = 0;
  const done = template.replace(/%(?:\((\w+)\))?([-0+ ]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g, (whole, key: string | undefined, flags: string, width: string, precision: string | undefined, conversion: string) => {
    if (conversion === "%") return "%";
    const value = key === undefined ? list[next++] : isDict(values) ? values[key] : undefined;
    if (value === undefined) throw fail(`${whole} in %`, "a value for it");
    return pad(converted(value, conversion, precision, flags.includes("+"), whole), width, flags);
  });
  if (next < list.length && !isDict(values) && (!isList(values) || values instanceof Tuple)) throw fail(`${list.length} values for ${next} places in %`, "as many");
  return done;
}

function converted(value: Value, conversion: string, precision: string | undefined, plus: boolean, whole: string): string {
  const sign = (text: string) => (plus && !text.startsWith("-") ? `+${text}` : text);
  if (conversion === "s") return precision === undefined ? str(value) : [...str(value)].slice(0, Number(precision)).join("");
  if (conversion === "r") return pythonRepr(value);
  if (conversion === "d" || conversion === "i") return sign(String(Math.trunc(numeric(value, whole))));
  if (conversion === "f") return sign(numeric(value, whole).toFixed(Math.min(100, Number(precision ?? 6))));
  throw fail(`${whole} in a format`, "s, r, d, i or f");
}

function pad(text: string, width: string, flags: string): string {
  const n = Math.min(10_000, Number(width || 0));
  if (flags.includes("-")) return text.padEnd(n);
  if (flags.includes("0")) return (/^[+-]/.test(text) ? text[0] : "") + text.replace(/^[+-]/, "").padStart(n - Number(/^[+-]/.test(text)), "0");
  return text.padStart(n);
}

/** `template.format(...)`: `{}`, `{0}`, `{name}`, with `:` and s, d or f. */
export function formatBraces(template: string, positional: readonly Value[], named: Readonly<Record<string, Value>>): string {
  let next = 0;
  return template.replace(/\{\{|\}\}|\{(\w*)(?::([^{}]*))?\}|[{}]/g, (whole, key: string | undefined, spec = "") => {
    if (whole === "{{" || whole === "}}") return whole[0];
    if (key === undefined) throw fail(`a single ${whole} in format`, "braces in pairs");
    const value = key === "" ? positional[next++] : /^\d+$/.test(key) ? positional[Number(key)] : named[key];
    if (value === undefined) throw fail(`${whole} in format`, "a value for it");
    if (spec === "") return str(value);
    const [, flags, width, precision, conversion] = /^([<0+]*)(\d*)(?:\.(\d+))?([sdf]?)$/.exec(spec) ?? [];
    if (flags === undefined) throw fail(`format ${spec}`, "a width and s, d or f");
    const kind = conversion || (isFloat(value) && precision !== undefined ? "f" : typeof value === "number" ? "d" : "s");
    return pad(converted(value, kind, precision, flags.includes("+"), whole), width, flags.replace("<", "-"));
  });
}

