import { ConfigError } from "@espalier/core";

/** What a number with a unit can measure. */
export type UnitKind = "tokens" | "dollars" | "days" | "seconds" | "gigabits a second" | "dollars an hour";

/** Suffix to factor, by kind; the empty suffix is the kind's own unit. */
const UNITS: Record<UnitKind, Record<string, number>> = {
  tokens: { "": 1, k: 1e3, M: 1e6, B: 1e9, G: 1e9, T: 1e12, tokens: 1, "k tokens": 1e3, "M tokens": 1e6, "B tokens": 1e9, "T tokens": 1e12 },
  dollars: { "": 1, k: 1e3, M: 1e6, USD: 1, "k USD": 1e3, "M USD": 1e6, $: 1, k$: 1e3, M$: 1e6 },
  days: { "": 1, d: 1, days: 1, day: 1, h: 1 / 24, hours: 1 / 24, w: 7, weeks: 7, months: 30.4375 },
  seconds: { "": 1, s: 1, ms: 1e-3, min: 60, h: 3600 },
  "gigabits a second": { "": 1, "Gb/s": 1, "Gbit/s": 1, Gbps: 1, "GB/s": 8, "Tb/s": 1000 },
  "dollars an hour": { "": 1, "/h": 1, "USD/h": 1, "$/h": 1, "/s": 3600, "/d": 1 / 24 },
};

const spaceless = (text: string) => text.replaceAll(/\s+/g, " ").trim();

/**
 * A positive number with an optional unit: `311.5B` tokens, `$100k`, `21.5 days`, `500h`, `400 Gb/s`. A unit of another
 * kind is refused, not guessed.
 *
 * @param what names the argument in the error
 * @throws {ConfigError} when it is no number above 0, or its unit measures something else
 */
export function parseQuantity(text: string, kind: UnitKind, what: string): number {
  const money = kind === "dollars" || kind === "dollars an hour";
  const match = /^(\$?)\s*(\d+(?:[,_]\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?)\s*(.*)$/i.exec(spaceless(text));
  const wrong = (found: string, todo: string) => new ConfigError(`${what}: is "${text}"${found}, expected ${kind}. ${todo}`);
  const example = `Write for example ${{ tokens: "311.5B", dollars: "100k", days: "21.5d or 500h", seconds: "87.8", "gigabits a second": "200", "dollars an hour": "1.29" }[kind]}.`;
  if (!match) throw wrong("", example);
  const [, sign, digits, rest] = match as unknown as [string, string, string, string];
  if (sign && !money) throw wrong(", an amount of money", example);
  const unit = rest.trim();
  const factor = Object.hasOwn(UNITS[kind], unit) ? UNITS[kind][unit]! : undefined;
  if (factor === undefined) {
    const others = (Object.keys(UNITS) as UnitKind[]).filter((other) => other !== kind && Object.hasOwn(UNITS[other], unit));
    throw wrong(others.length > 0 ? `, with a unit of ${others.join(" or ")}` : ` with the unit "${unit}"`, example);
  }
  const value = Number(digits.replaceAll(/[,_]/g, "")) * factor;
  if (!(value > 0 && value < Infinity)) throw wrong("", example);
  return value;
}
