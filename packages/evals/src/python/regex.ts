/** Python's `re` patterns, so that a task's filters match what they match there. */

import { ConfigError } from "@espalier/core";
import { PYTHON_SPACE } from "./text.ts";

const WORD = "\\p{L}\\p{N}_";
const classes: Record<string, string> = { d: "\\p{Nd}", w: WORD, s: PYTHON_SPACE };
const anchors: Record<string, string> = {
  A: "(?<![\\s\\S])",
  Z: "(?![\\s\\S])",
  b: `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`,
  B: `(?:(?<=[${WORD}])(?=[${WORD}])|(?<![${WORD}])(?![${WORD}]))`,
};

/**
 * A Python pattern as a global JavaScript one over code points. `.` leaves out the line feed alone, `$` also stands
 * before a last line feed, `\s`, `\w`, `\d` and `\b` follow Unicode.
 *
 * @throws {ConfigError} for what has no counterpart (conditional groups, unknown inline flags) or is no pattern at all
 */
export function pythonRegex(pattern: string, { ignoreCase = false }: { ignoreCase?: boolean } = {}): RegExp {
  const [, inline = ""] = /^\(\?([a-zA-Z]+)\)/.exec(pattern) ?? [];
  if (/[^sim]/.test(inline)) throw new ConfigError(`pythonRegex: inline flags (?${inline}), expected some of s, i, m. Rewrite the pattern.`);
  const body = inline === "" ? pattern : pattern.slice(inline.length + 3);
  const flags = `gu${ignoreCase || inline.includes("i") ? "i" : ""}${inline.includes("m") ? "m" : ""}`;
  try {
    return new RegExp(translate(body, { dotAll: inline.includes("s"), multiline: inline.includes("m") }), flags);
  } catch (cause) {
    throw new ConfigError(`pythonRegex: ${JSON.stringify(pattern)} cannot be translated: ${(cause as Error).message}. Rewrite the pattern.`, { cause });
  }
}

function translate(body: string, { dotAll, multiline }: { dotAll: boolean; multiline: boolean }): string {
  let out = "";
  let inClass = false;
  for (let i = 0; i < body.length; i++) {
    const c = body[i];
    if (c === "\\") {
      const next = body[++i] ?? "";
      if (next in classes) out += inClass ? classes[next] : `[${classes[next]}]`;
      else if (next.toLowerCase() in classes) out += negated(next, inClass);
      else if (next in anchors && !inClass) out += anchors[next];
      else if (/[A-Za-z0-9]/.test(next)) out += `\\${next}`;
      else out += /[\^$\\.*+?()[\]{}|/-]/.test(next) && (next !== "-" || inClass) ? `\\${next}` : next; // "\"" is no escape under the u flag
    } else if (inClass) {
      inClass = c !== "]";
      out += c === "[" ? "\\[" : c;
    } else if (c === "[") {
      inClass = true;
      out += c;
      if (body[i + 1] === "^") out += body[++i];
      if (body[i + 1] === "]") out += `\\${body[++i]}`; // first in a class, "]" is itself
    } else if (c === ".") out += dotAll ? "[\\s\\S]" : "[^\\n]";
    else if (c === "$" && !multiline) out += "(?=\\n?(?![\\s\\S]))";
    else if (c === "{" && !/^\{\d*,?\d*\}/.test(body.slice(i))) out += "\\{";
    else if (c === "}" && !/\{\d*,?\d*$/.test(body.slice(0, i))) out += "\\}";
    else if (body.startsWith("(?P<", i)) [out, i] = [`${out}(?<`, i + 3];
    else if (body.startsWith("(?P=", i)) {
      const end = body.indexOf(")", i);
      [out, i] = [`${out}\\k<${body.slice(i + 4, end)}>`, end];
    } else out += c;
  }
  return out;
}

function negated(letter: string, inClass: boolean): string {
  if (inClass) {
    if (letter === "D") return "\\P{Nd}";
    throw new ConfigError(`\\${letter} inside a class`);
  }
  return `[^${classes[letter.toLowerCase()]}]`;
}

/** `re.findall`: whole matches, the one group, or the list of groups of each match ("" where one took no part). */
export function findAll(pattern: RegExp, text: string): (string | string[])[] {
  return [...text.matchAll(pattern)].map(([whole, ...groups]) => {
    if (groups.length === 0) return whole;
    const texts = groups.map((group) => group ?? "");
    return texts.length === 1 ? texts[0] : texts;
  });
}

/** `re.escape`: a text as a pattern that matches it alone. */
export const escapeRegex = (text: string): string => text.replace(/[\^$\\.*+?()[\]{}|/]/g, "\\$&");
