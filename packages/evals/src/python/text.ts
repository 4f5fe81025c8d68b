/**
 * Python's `str` methods where JavaScript's differ: positions count code points, and white space is what
 * `str.isspace` says (U+001C to U+001F and U+0085 belong to it, U+FEFF does not).
 */

import { DataError } from "@espalier/core";

/** For use inside a character class. */
export const PYTHON_SPACE = "\\t\\n\\v\\f\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

const LEADING = new RegExp(`^[${PYTHON_SPACE}]+`, "u");
const SPACES = new RegExp(`[${PYTHON_SPACE}]+`, "u");
const SPACE = new RegExp(`^[${PYTHON_SPACE}]$`, "u");

/** `len(text)`: code points. */
export const codePoints = (text: string): number => [...text].length;

/** `len(text.encode())` */
export const utf8Bytes = (text: string): number => new TextEncoder().encode(text).length;

export const lstrip = (text: string): string => text.replace(LEADING, "");

/** All white space is in the basic plane, so UTF-16 units will do; a regular expression would be quadratic here. */
export function rstrip(text: string): string {
  let end = text.length;
  while (end > 0 && SPACE.test(text[end - 1])) end--;
  return text.slice(0, end);
}

export const strip = (text: string): string => lstrip(rstrip(text));

export const startsWithSpace = (text: string): boolean => text !== "" && lstrip(text[0]) === "";
export const endsWithSpace = (text: string): boolean => text !== "" && rstrip(text.at(-1)!) === "";

/** `text.split()`: words between runs of white space. */
export function splitWords(text: string): string[] {
  const stripped = strip(text);
  return stripped === "" ? [] : stripped.split(SPACES);
}

/** `len(re.split(r"\s+", text))`, the words that word perplexity counts: leading white space makes an empty one. */
export const countWords = (text: string): number => text.split(SPACES).length;

const titled: Record<string, string> = { "ǆ": "ǅ", "ǉ": "ǈ", "ǌ": "ǋ", "ǳ": "ǲ", "Ǆ": "ǅ", "Ǉ": "ǈ", "Ǌ": "ǋ", "Ǳ": "ǲ" };

/** `text.capitalize()`: the first character in title case, all others in lower case. */
export function capitalize(text: string): string {
  const [first = "", ...rest] = text;
  const [upper = "", ...expansion] = first.toUpperCase(); // "ß" becomes "SS", in title case "Ss"
  const head = titled[first] ?? (/\p{Lu}/u.test(upper) ? upper + expansion.join("").toLowerCase() : first.toUpperCase());
  return head + rest.join("").toLowerCase();
}

/** `sequence[start:stop]` of a text, by code points, or of a list. */
export function pythonSlice<T extends string | readonly unknown[]>(sequence: T, start?: number | null, stop?: number | null): T {
  return (typeof sequence === "string" ? [...sequence].slice(start ?? 0, stop ?? undefined).join("") : sequence.slice(start ?? 0, stop ?? undefined)) as T;
}

/** `text.index(part)` in code points. */
export function indexOf(text: string, part: string): number {
  const at = text.indexOf(part);
  if (at < 0) throw new DataError(`index: ${JSON.stringify(part)} is not in the text ${JSON.stringify(text.slice(0, 60))}. Check the columns of the data.`);
  return codePoints(text.slice(0, at));
}
