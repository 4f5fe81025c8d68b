/** `ast.literal_eval` of texts, numbers, lists, tuples, dicts, True, False and None. */

import { DataError } from "@espalier/core";
import { unescapeString } from "../jinja/lexer.ts";

const TOKEN = /\s*(?:([rRuUbB]{0,2})('''(?:[^\\]|\\[^])*?'''|"""(?:[^\\]|\\[^])*?"""|'(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*")|([+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)|([A-Za-z]+)|([[\](){},:]))/y;

const MAX_DEPTH = 100;

/** Tuples become lists, dicts objects. @throws {DataError} when the text is no literal */
export function literalEval(text: string): unknown {
  let at = 0;
  const fail = (): DataError => new DataError(`literalEval: ${JSON.stringify(text.slice(0, 80))} at ${at}, expected a Python literal. Check the template that wrote it.`);

  const peek = (): RegExpExecArray | null => {
    TOKEN.lastIndex = at;
    return TOKEN.exec(text);
  };
  const take = (symbol: string): boolean => {
    const token = peek();
    if (token?.[5] !== symbol) return false;
    at += token[0].length;
    return true;
  };
  const listed = <T>(close: string, item: () => T): { items: T[]; comma: boolean } => {
    const items: T[] = [];
    let comma = false;
    while (!take(close)) {
      items.push(item());
      comma = take(",");
      if (!comma) {
        if (!take(close)) throw fail();
        break;
      }
    }
    return { items, comma };
  };
  const value = (depth: number): unknown => {
    if (depth > MAX_DEPTH) throw fail();
    const inner = () => value(depth + 1);
    if (take("[")) return listed("]", inner).items;
    if (take("(")) {
      const { items, comma } = listed(")", inner);
      return items.length === 1 && !comma ? items[0] : items;
    }
    if (take("{")) {
      return Object.fromEntries(
        listed("}", () => {
          const key = inner();
          if (!take(":")) throw fail();
          return [String(key), inner()] as const;
        }).items,
      );
    }
    const token = peek();
    if (token === null || token[5] !== undefined) throw fail();
    const [whole, prefix, quoted, number, name] = token;
    at += whole.length;
    if (number !== undefined) return Number(number);
    if (name !== undefined) {
      if (!["True", "False", "None"].includes(name)) throw fail();
      return name === "None" ? null : name === "True";
    }
    if (/b/i.test(prefix)) throw fail();
    const body = quoted.slice(quoted.startsWith("'''") || quoted.startsWith('"""') ? 3 : 1).slice(0, quoted.startsWith("'''") || quoted.startsWith('"""') ? -3 : -1);
    const here = /r/i.test(prefix) ? body : unescapeString(body);
    const next = peek();
    return next?.[2] === undefined ? here : here + String(value(depth)); // texts side by side are one
  };

  // A tuple may stand without brackets.
  const result = value(0);
  if (text.slice(at).trim() === "") return result;
  const items = [result];
  while (take(",")) {
    if (text.slice(at).trim() === "") break;
    items.push(value(0));
  }
  if (text.slice(at).trim() !== "") throw fail();
  return items;
}
