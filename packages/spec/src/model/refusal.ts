import type { z } from "zod";

/** What a schema says of a value that it does not take: what was found, what is expected. For `safeParse`. */
export const refusals: z.core.ParseContext<z.core.$ZodIssue> = { error: sentence };

function sentence(issue: z.core.$ZodRawIssue): string | undefined {
  const found = issue.input === undefined ? "is missing" : `found ${shown(issue.input)}`;
  switch (issue.code) {
    case "invalid_type":
      return `${found}, expected ${TYPES[issue.expected] ?? issue.expected}`;
    case "too_small":
      return `${found}, expected ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}${unit(issue.origin, issue.minimum === 1)}`;
    case "too_big":
      return `${found}, expected ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`;
    case "invalid_value":
      return `${found}, expected ${issue.values.length > 1 ? "one of " : ""}${issue.values.map(shown).join(", ")}`;
    case "unrecognized_keys":
      return `found ${issue.keys.map(shown).join(", ")}, which is no field here`;
    default:
      return undefined; // zod's own words
  }
}

function unit(origin: string, one: boolean): string {
  if (origin === "string") return one ? " character" : " characters";
  if (origin === "array") return one ? " entry" : " entries";
  return "";
}

const TYPES: Record<string, string> = { int: "a whole number", number: "a number", string: "a text", object: "an object", array: "a list", boolean: "true or false" };

function shown(value: unknown): string {
  const text = typeof value === "bigint" || typeof value === "symbol" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}

/**
 * The first offending field as a sentence: `where: field: what was found, what is expected. Correct this field.` A field with an
 * unknown name goes before one that is missing: it is the same one, misspelt.
 */
export function refusal(where: string, { issues }: z.ZodError): string {
  const { path, message } = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0]!;
  return `${where}: ${path.length > 0 ? `${path.join(".")}: ` : ""}${message}. Correct ${path.length > 0 ? "this field" : "it"}.`;
}
