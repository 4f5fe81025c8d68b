import { ConfigError } from "@espalier/core";

/** A parsed `config.json`, read field by field; each reader names the file and the field when a value does not fit. */
export interface Fields {
  readonly where: string;
  has(name: string): boolean;
  /** A whole number from 1 to `most`; without `fallback` the field must be there. */
  count(name: string, fallback?: number, most?: number): number;
  number(name: string, fallback: number): number;
  flag(name: string, fallback: boolean): boolean;
  text(name: string, fallback: string): string;
  /** A nested object, absent when the field is missing or null. */
  object(name: string): Fields | undefined;
  /** The field as it stands. */
  value(name: string): unknown;
  /** The field must be absent, null or `expected`: another value changes the arithmetic in a way that is not supported. */
  only(name: string, expected: unknown, why: string): void;
}

/** No model is near these. Lists as long as a number in a file would otherwise end the process when that number is absurd. */
const MOST_CHANNELS = 2 ** 24;
export const MOST_LAYERS = 2 ** 16;
export const MOST_HEAD_CHANNELS = 2 ** 16;

export function fieldsOf(value: Readonly<Record<string, unknown>>, where: string): Fields {
  const refuse = (name: string, expected: string): never => {
    throw new ConfigError(`${where}: ${name} is ${JSON.stringify(value[name]) ?? "missing"}, expected ${expected}. Correct the file.`);
  };
  const present = (name: string) => value[name] !== undefined && value[name] !== null;
  const number = (name: string, fallback: number | undefined, test: (x: number) => boolean, expected: string): number => {
    const found = present(name) ? value[name] : fallback;
    return typeof found === "number" && test(found) ? found : refuse(name, expected);
  };
  return {
    where,
    has: present,
    count: (name, fallback, most = MOST_CHANNELS) => number(name, fallback, (x) => Number.isInteger(x) && x > 0 && x <= most, `a whole number from 1 to ${most}`),
    number: (name, fallback) => number(name, fallback, Number.isFinite, "a number"),
    flag: (name, fallback) => {
      const found = present(name) ? value[name] : fallback;
      return typeof found === "boolean" ? found : refuse(name, "true or false");
    },
    text: (name, fallback) => {
      const found = present(name) ? value[name] : fallback;
      return typeof found === "string" ? found : refuse(name, "text");
    },
    object: (name) => {
      if (!present(name)) return undefined;
      const found = value[name];
      if (typeof found !== "object" || Array.isArray(found)) return refuse(name, "an object");
      return fieldsOf(found as Record<string, unknown>, `${where}: ${name}`);
    },
    value: (name) => value[name],
    only: (name, expected, why) => {
      if (present(name) && value[name] !== expected) {
        throw new ConfigError(`${where}: ${name} is ${JSON.stringify(value[name])}, expected ${JSON.stringify(expected)}: ${why}. Use another model.`);
      }
    },
  };
}
