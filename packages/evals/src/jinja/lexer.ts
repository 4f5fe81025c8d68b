/** A Jinja template as text, expressions and tags, each with its tokens. */

import { ConfigError } from "@espalier/core";
import { lstrip, rstrip } from "../python/text.ts";

export interface Token {
  kind: "name" | "integer" | "float" | "string" | "operator" | "end";
  text: string;
}

export type Segment = { kind: "text"; text: string } | { kind: "expression" | "tag"; tokens: Token[] };

const OPERATORS = ["//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|"];
const closing: Record<string, string> = { "(": ")", "[": "]", "{": "}" };

const fail = (what: string, expected: string): ConfigError => new ConfigError(`jinja: ${what}, expected ${expected}. Correct the template.`);

/**
 * Splits a template. White space control (`{{-`, `-%}`) is done here, as is `{% raw %}`.
 *
 * @throws {ConfigError} for an expression, tag or comment that does not end, or a character that no token begins with
 */
export function lex(source: string): Segment[] {
  const template = source.replace(/\r\n?/g, "\n");
  const segments: Segment[] = [];
  let at = 0;
  let stripNext = false;
  const pushText = (text: string, stripEnd: boolean) => {
    let kept = stripNext ? lstrip(text) : text;
    if (stripEnd) kept = rstrip(kept);
    if (kept !== "") segments.push({ kind: "text", text: kept });
  };
  for (;;) {
    const open = nextOpening(template, at);
    if (open < 0) {
      pushText(template.slice(at), false);
      return segments;
    }
    const kind = template[open + 1];
    const trimmed = template[open + 2] === "-";
    pushText(template.slice(at, open), trimmed);
    const inside = open + 2 + Number(trimmed || template[open + 2] === "+");
    if (kind === "#") {
      const end = template.indexOf("#}", inside);
      if (end < 0) throw fail("a comment without end", "#}");
      stripNext = template[end - 1] === "-";
      at = end + 2;
      continue;
    }
    const raw = kind === "%" ? /^\s*raw\s*(-?)%\}/.exec(template.slice(inside)) : null;
    if (raw !== null) {
      const start = inside + raw[0].length;
      const end = /\{%(-?)\s*endraw\s*(-?)%\}/.exec(template.slice(start));
      if (end === null) throw fail("raw without end", "{% endraw %}");
      stripNext = raw[1] === "-";
      pushText(template.slice(start, start + end.index), end[1] === "-");
      stripNext = end[2] === "-";
      at = start + end.index + end[0].length;
      continue;
    }
    const { tokens, end, strip } = tokensUntil(template, inside, kind === "{" ? "}}" : "%}");
    segments.push({ kind: kind === "{" ? "expression" : "tag", tokens });
    stripNext = strip;
    at = end;
  }
}

function nextOpening(template: string, from: number): number {
  for (let at = template.indexOf("{", from); at >= 0; at = template.indexOf("{", at + 1)) {
    if ("{%#".includes(template[at + 1] ?? " ")) return at;
  }
  return -1;
}

const STRING = /(?:'(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*")/y;
const NUMBER = /(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?)/y;
const NAME = /[\p{L}_][\p{L}\p{N}\p{Mn}\p{Mc}_]*/uy;

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** Tokens up to the closing delimiter; one within brackets does not close. */
function tokensUntil(template: string, from: number, delimiter: string): { tokens: Token[]; end: number; strip: boolean } {
  const tokens: Token[] = [];
  const brackets: string[] = [];
  let at = from;
  for (;;) {
    at += template.slice(at).match(/^\s*/)![0].length;
    if (at >= template.length) throw fail(`${JSON.stringify(template.slice(from - 2, from + 30))} does not end`, delimiter);
    if (brackets.length === 0) {
      const strip = template[at] === "-" && template.startsWith(delimiter, at + 1);
      const keep = template[at] === "+" && template.startsWith(delimiter, at + 1);
      if (strip || keep || template.startsWith(delimiter, at)) {
        tokens.push({ kind: "end", text: "" });
        return { tokens, end: at + delimiter.length + Number(strip || keep), strip };
      }
    }
    const text = matchAt(STRING, template, at) ?? matchAt(NUMBER, template, at) ?? matchAt(NAME, template, at) ?? OPERATORS.find((operator) => template.startsWith(operator, at));
    if (text === undefined) throw fail(`${JSON.stringify(template.slice(at, at + 20))} in an expression`, "an operand or operator");
    at += text.length;
    if (/^['"]/.test(text)) tokens.push({ kind: "string", text: unescapeString(text.slice(1, -1)) });
    else if (/^\d/.test(text)) tokens.push({ kind: /^\d[\d_]*(?:\.|[eE])/.test(text) ? "float" : "integer", text: text.replaceAll("_", "") });
    else if (OPERATORS.includes(text)) {
      if (text in closing) brackets.push(closing[text]);
      else if (")]}".includes(text) && brackets.pop() !== text) throw fail(`${text} in an expression`, "brackets in pairs");
      tokens.push({ kind: "operator", text });
    } else tokens.push({ kind: "name", text });
  }
}

const escapes: Record<string, string> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v", "\\": "\\", "'": "'", '"': '"', "\n": "" };

/** Escapes of a Python string literal; unknown ones stay as they are, as in Python. */
export function unescapeString(body: string): string {
  return body.replace(/\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([^]))/g, (whole, x?: string, u?: string, U?: string, octal?: string, other?: string) => {
    const hex = x ?? u ?? U;
    if (hex !== undefined) {
      const code = Number.parseInt(hex, 16);
      if (code > 0x10ffff) throw fail(`escape ${whole}`, "a code point up to 10ffff");
      return String.fromCodePoint(code);
    }
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    return escapes[other!] ?? whole;
  });
}
