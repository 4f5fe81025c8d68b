/** What Python's `json.dumps`, `repr` and `str` print, so that digests over them can be compared. */

/** A number that Python holds as a float: 1 prints as `1.0`. */
export class PythonFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** `repr(x)` of a float: shortest digits, an exponent from 1e16 up and below 1e-4. */
export function floatRepr(x: number): string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  const [, sign, lead, rest = "", exponentText] = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(Object.is(x, -0) ? "-0e+0" : x.toExponential())!;
  const exponent = Number(exponentText);
  const digits = lead + rest;
  if (exponent < -4 || exponent >= 16) {
    const mantissa = rest === "" ? lead : `${lead}.${rest}`;
    return `${sign}${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`;
}

export interface JsonOptions {
  indent?: number;
  /** Escape all but ASCII. Default true, as in Python. */
  ensureAscii?: boolean;
  sortKeys?: boolean;
}

const named: Record<string, string> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f", "\b": "\\b" };
const escaped = (unit: string): string => named[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;

const quoted = (text: string, ensureAscii: boolean): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them
  `"${text.replace(ensureAscii ? /["\\]|[^ -~]/g : /["\\\x00-\x1f]/g, escaped)}"`;

const byCodePoint = (a: string, b: string): number => {
  const [x, y] = [[...a], [...b]];
  const i = x.findIndex((character, k) => character !== y[k]);
  return i < 0 ? x.length - y.length : (x[i].codePointAt(0)! - (y[i]?.codePointAt(0) ?? -1));
};

/**
 * `json.dumps(value)` of CPython, byte for byte: `", "` and `": "` between items, escapes of everything beyond ASCII.
 * Whole numbers print as ints; wrap those that Python holds as floats in {@link PythonFloat}.
 */
export function pythonJson(value: unknown, options: JsonOptions = {}): string {
  const { indent, ensureAscii = true, sortKeys = false } = options;
  const write = (part: unknown, depth: number): string => {
    if (part === null || part === undefined) return "null";
    if (part instanceof PythonFloat) return jsonFloat(part.value);
    if (typeof part === "number") return Number.isInteger(part) ? String(part) : jsonFloat(part);
    if (typeof part === "string") return quoted(part, ensureAscii);
    if (typeof part !== "object") return String(part);
    const [open, close, items] = Array.isArray(part)
      ? ["[", "]", part.map((item) => write(item, depth + 1))]
      : ["{", "}", entries(part, sortKeys).map(([key, item]) => `${quoted(key, ensureAscii)}: ${write(item, depth + 1)}`)];
    if (items.length === 0) return open + close;
    if (indent === undefined) return `${open}${items.join(", ")}${close}`;
    const margin = `\n${" ".repeat(indent * (depth + 1))}`;
    return `${open}${margin}${items.join(`,${margin}`)}\n${" ".repeat(indent * depth)}${close}`;
  };
  return write(value, 0);
}

/** JSON has no infinities; Python writes its own words for them. */
const jsonFloat = (x: number): string => (Number.isNaN(x) ? "NaN" : Number.isFinite(x) ? floatRepr(x) : x > 0 ? "Infinity" : "-Infinity");

function entries(object: object, sortKeys: boolean): [string, unknown][] {
  const present = Object.entries(object).filter(([, item]) => item !== undefined);
  return sortKeys ? present.sort(([a], [b]) => byCodePoint(a, b)) : present;
}

/** `repr(value)` of str, int, float, bool, None, list and dict. */
export function pythonRepr(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (value instanceof PythonFloat) return floatRepr(value.value);
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : floatRepr(value);
  if (typeof value === "string") return stringRepr(value);
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(", ")}]`;
  return `{${Object.entries(value as object).map(([key, item]) => `${pythonRepr(key)}: ${pythonRepr(item)}`).join(", ")}}`;
}

/** `str(value)` */
export const pythonStr = (value: unknown): string => (typeof value === "string" ? value : pythonRepr(value));

function stringRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = [...text].map((character) => {
    if (character === "\\" || character === quote) return `\\${character}`;
    if (character === "\n") return "\\n";
    if (character === "\r") return "\\r";
    if (character === "\t") return "\\t";
    if (character === " " || !/[\p{C}\p{Z}]/u.test(character)) return character;
    const code = character.codePointAt(0)!;
    const [letter, width] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
    return `\\${letter}${code.toString(16).padStart(width, "0")}`;
  });
  return quote + body.join("") + quote;
}
