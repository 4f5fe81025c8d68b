/** Tokens to a tree: expressions by precedence climbing, tags as nested bodies. */

import { ConfigError } from "@espalier/core";
import { lex, type Segment, type Token } from "./lexer.ts";

export type Expression =
  | { kind: "constant"; value: string | number | boolean | null }
  | { kind: "float"; value: number }
  | { kind: "name"; name: string }
  | { kind: "list" | "tuple"; items: Expression[] }
  | { kind: "dict"; entries: [Expression, Expression][] }
  | { kind: "attribute"; of: Expression; name: string }
  | { kind: "item"; of: Expression; key: Expression }
  | { kind: "slice"; of: Expression; start?: Expression; stop?: Expression; step?: Expression }
  | { kind: "call"; of: Expression; arguments: Argument[] }
  | { kind: "filter"; name: string; of: Expression; arguments: Argument[] }
  | { kind: "test"; name: string; of: Expression; arguments: Argument[]; negated: boolean }
  | { kind: "unary"; operator: string; of: Expression }
  | { kind: "binary"; operator: string; left: Expression; right: Expression }
  | { kind: "compare"; first: Expression; rest: [operator: string, Expression][] }
  | { kind: "choose"; test: Expression; yes: Expression; no?: Expression };

export interface Argument {
  name?: string;
  value: Expression;
}

/** What a loop or `set` assigns to: a name, several names, or an attribute of a namespace. */
export type Target = { names: string[] } | { namespace: string; attribute: string };

export type Node =
  | { kind: "text"; text: string }
  | { kind: "output"; of: Expression }
  | { kind: "if"; branches: [Expression | undefined, Node[]][] }
  | { kind: "for"; target: Target; over: Expression; only?: Expression; body: Node[]; otherwise: Node[] }
  | { kind: "set"; target: Target; value?: Expression; body?: Node[] };

const MAX_DEPTH = 200;
const fail = (what: string, expected: string): ConfigError => new ConfigError(`jinja: ${what}, expected ${expected}. Correct the template.`);

/** @throws {ConfigError} naming what is malformed or not in the subset */
export function parseTemplate(source: string): Node[] {
  const segments = lex(source);
  let position = 0;
  const body = parseBody([]);
  return body;

  function parseBody(ends: readonly string[]): Node[] {
    const nodes: Node[] = [];
    for (; position < segments.length; position++) {
      const segment = segments[position];
      if (segment.kind === "text") nodes.push({ kind: "text", text: segment.text });
      else if (segment.kind === "expression") nodes.push({ kind: "output", of: parseWhole(segment.tokens) });
      else {
        const name = segment.tokens[0].text;
        if (ends.includes(name)) return nodes;
        nodes.push(parseTag(name, segment.tokens));
      }
    }
    if (ends.length > 0) throw fail("the template ends within a tag", `{% ${ends.at(-1)} %}`);
    return nodes;
  }

  function current(): Extract<Segment, { tokens: Token[] }> {
    return segments[position] as Extract<Segment, { tokens: Token[] }>;
  }

  function parseTag(name: string, tokens: Token[]): Node {
    const parser = new ExpressionParser(tokens, 1);
    if (name === "if") {
      const branches: [Expression | undefined, Node[]][] = [];
      let test: Expression | undefined = parser.whole();
      for (;;) {
        position++;
        branches.push([test, parseBody(["elif", "else", "endif"])]);
        const end = current().tokens;
        if (end[0].text === "endif") return { kind: "if", branches };
        test = end[0].text === "elif" ? new ExpressionParser(end, 1).whole() : undefined;
      }
    }
    if (name === "for") {
      const target = { names: parser.names() };
      parser.expect("in");
      const over = parser.tuple(false);
      const only = parser.take("if") ? parser.expression() : undefined;
      parser.atEnd();
      position++;
      const body = parseBody(["else", "endfor"]);
      let otherwise: Node[] = [];
      if (current().tokens[0].text === "else") {
        position++;
        otherwise = parseBody(["endfor"]);
      }
      return { kind: "for", target, over, ...(only && { only }), body, otherwise };
    }
    if (name === "set") {
      const names = parser.names();
      const target: Target = parser.take(".") ? { namespace: names[0], attribute: parser.name() } : { names };
      if (parser.take("=")) {
        const value = parser.tuple();
        parser.atEnd();
        return { kind: "set", target, value };
      }
      parser.atEnd();
      position++;
      return { kind: "set", target, body: parseBody(["endset"]) };
    }
    throw fail(`tag {% ${name} %}`, "if, for, set or raw");
  }
}

const parseWhole = (tokens: Token[]): Expression => new ExpressionParser(tokens, 0).whole();

const RESERVED = new Set(["and", "or", "not", "in", "is", "if", "else"]);
const COMPARISONS = ["==", "!=", "<", ">", "<=", ">="];

class ExpressionParser {
  readonly #tokens: Token[];
  #at: number;
  #depth = 0;

  constructor(tokens: Token[], at: number) {
    this.#tokens = tokens;
    this.#at = at;
  }

  /** An expression and nothing behind it. */
  whole(): Expression {
    const expression = this.tuple();
    this.atEnd();
    return expression;
  }

  atEnd(): void {
    if (this.#peek().kind !== "end") throw fail(`${JSON.stringify(this.#peek().text)} behind an expression`, "its end");
  }

  take(text: string): boolean {
    const token = this.#peek();
    const taken = (token.kind === "name" || token.kind === "operator") && token.text === text;
    if (taken) this.#at++;
    return taken;
  }

  expect(text: string): void {
    if (!this.take(text)) throw fail(JSON.stringify(this.#peek().text), text);
  }

  name(): string {
    const token = this.#tokens[this.#at++];
    if (token?.kind !== "name" || RESERVED.has(token.text)) throw fail(JSON.stringify(token?.text ?? ""), "a name");
    return token.text;
  }

  names(): string[] {
    const wrapped = this.take("(");
    const names = [this.name()];
    while (this.take(",")) if (this.#peek().kind === "name") names.push(this.name());
    if (wrapped) this.expect(")");
    return names;
  }

  /** Expressions parted by commas without brackets make a tuple. */
  tuple(withCondition = true): Expression {
    const first = withCondition ? this.expression() : this.#or();
    if (!this.take(",")) return first;
    const items = [first];
    while (this.#peek().kind !== "end" && !this.#isNext(")")) {
      items.push(this.expression());
      if (!this.take(",")) break;
    }
    return { kind: "tuple", items };
  }

  expression(): Expression {
    if (++this.#depth > MAX_DEPTH) throw fail("an expression nested too deeply", `at most ${MAX_DEPTH} levels`);
    let value = this.#or();
    while (this.take("if")) {
      const test = this.#or();
      const no = this.take("else") ? this.expression() : undefined;
      value = { kind: "choose", test, yes: value, ...(no && { no }) };
    }
    this.#depth--;
    return value;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "" };
  }

  #isNext(text: string): boolean {
    return this.#peek().kind === "operator" && this.#peek().text === text;
  }

  #binary(operators: readonly string[], next: () => Expression): Expression {
    let left = next();
    for (;;) {
      const operator = operators.find((candidate) => this.take(candidate));
      if (operator === undefined) return left;
      left = { kind: "binary", operator, left, right: next() };
    }
  }

  #or = (): Expression => this.#binary(["or"], this.#and);
  #and = (): Expression => this.#binary(["and"], this.#not);

  #not = (): Expression => {
    if (!this.take("not")) return this.#compare();
    if (++this.#depth > MAX_DEPTH) throw fail("an expression nested too deeply", `at most ${MAX_DEPTH} levels`);
    const negated: Expression = { kind: "unary", operator: "not", of: this.#not() };
    this.#depth--;
    return negated;
  };

  #compare(): Expression {
    const first = this.#sum();
    const rest: [string, Expression][] = [];
    for (;;) {
      const operator = COMPARISONS.find((candidate) => this.take(candidate)) ?? (this.take("in") ? "in" : undefined);
      if (operator !== undefined) rest.push([operator, this.#sum()]);
      else if (this.#peek().text === "not" && this.#tokens[this.#at + 1]?.text === "in") {
        this.#at += 2;
        rest.push(["not in", this.#sum()]);
      } else return rest.length === 0 ? first : { kind: "compare", first, rest };
    }
  }

  #sum = (): Expression => this.#binary(["+", "-"], this.#concat);
  #concat = (): Expression => this.#binary(["~"], this.#product);
  #product = (): Expression => this.#binary(["*", "//", "/", "%"], this.#power);
  #power = (): Expression => this.#binary(["**"], () => this.#unary());

  #unary(withFilter = true): Expression {
    const operator = ["-", "+"].find((sign) => this.take(sign));
    if (operator !== undefined && ++this.#depth > MAX_DEPTH) throw fail("an expression nested too deeply", `at most ${MAX_DEPTH} levels`);
    const inner: Expression = operator === undefined ? this.#primary() : { kind: "unary", operator, of: this.#unary(false) };
    if (operator !== undefined) this.#depth--;
    const value = this.#postfix(inner);
    return withFilter ? this.#filters(value) : value;
  }

  #primary(): Expression {
    const token = this.#tokens[this.#at++] ?? { kind: "end", text: "" };
    if (token.kind === "string") {
      let value = token.text;
      while (this.#peek().kind === "string") value += this.#tokens[this.#at++].text;
      return { kind: "constant", value };
    }
    if (token.kind === "integer") return { kind: "constant", value: Number(token.text) };
    if (token.kind === "float") return { kind: "float", value: Number(token.text) };
    if (token.kind === "name" && !RESERVED.has(token.text)) {
      const lower = token.text[0].toLowerCase() + token.text.slice(1);
      if (["true", "false", "none"].includes(lower)) return { kind: "constant", value: lower === "none" ? null : lower === "true" };
      return { kind: "name", name: token.text };
    }
    if (token.kind === "operator" && token.text === "(") {
      if (this.take(")")) return { kind: "tuple", items: [] };
      const inner = this.tuple();
      this.expect(")");
      return inner;
    }
    if (token.kind === "operator" && token.text === "[") return { kind: "list", items: this.#listed("]", () => this.expression()) };
    if (token.kind === "operator" && token.text === "{") {
      const entries = this.#listed("}", (): [Expression, Expression] => {
        const key = this.expression();
        this.expect(":");
        return [key, this.expression()];
      });
      return { kind: "dict", entries };
    }
    throw fail(token.kind === "end" ? "the end of an expression" : JSON.stringify(token.text), "an operand");
  }

  #listed<T>(close: string, item: () => T): T[] {
    const items: T[] = [];
    while (!this.take(close)) {
      items.push(item());
      if (!this.take(",")) {
        this.expect(close);
        break;
      }
    }
    return items;
  }

  #arguments(): Argument[] {
    return this.#listed(")", () => {
      const named = this.#peek().kind === "name" && this.#tokens[this.#at + 1]?.text === "=" && this.#tokens[this.#at + 1].kind === "operator";
      if (!named) return { value: this.expression() };
      const name = this.name();
      this.expect("=");
      return { name, value: this.expression() };
    });
  }

  #postfix(value: Expression): Expression {
    let of = value;
    for (;;) {
      if (this.take(".")) {
        const token = this.#tokens[this.#at++];
        if (token?.kind === "name") of = { kind: "attribute", of, name: token.text };
        else if (token?.kind === "integer") of = { kind: "item", of, key: { kind: "constant", value: Number(token.text) } };
        else throw fail(JSON.stringify(token?.text ?? ""), "an attribute behind the dot");
      } else if (this.take("[")) of = this.#subscript(of);
      else if (this.take("(")) of = { kind: "call", of, arguments: this.#arguments() };
      else return of;
    }
  }

  #subscript(of: Expression): Expression {
    const part = () => (this.#isNext(":") || this.#isNext("]") ? undefined : this.expression());
    const start = part();
    if (!this.take(":")) {
      if (start === undefined) throw fail("[]", "an index or a slice");
      this.expect("]");
      return { kind: "item", of, key: start };
    }
    const stop = part();
    const step = this.take(":") ? part() : undefined;
    this.expect("]");
    return { kind: "slice", of, ...(start && { start }), ...(stop && { stop }), ...(step && { step }) };
  }

  #filters(value: Expression): Expression {
    let of = value;
    for (;;) {
      if (this.take("|")) {
        const name = this.name();
        of = { kind: "filter", name, of, arguments: this.take("(") ? this.#arguments() : [] };
      } else if (this.take("is")) {
        const negated = this.take("not");
        const token = this.#tokens[this.#at++];
        if (token?.kind !== "name") throw fail(JSON.stringify(token?.text ?? ""), "the name of a test");
        const next = this.#peek();
        const operand = ["string", "integer", "float"].includes(next.kind) || (next.kind === "name" && !RESERVED.has(next.text)) || (next.kind === "operator" && "[{".includes(next.text));
        const given = this.take("(") ? this.#arguments() : operand ? [{ value: this.#postfix(this.#primary()) }] : [];
        of = { kind: "test", name: token.text, of, arguments: given, negated };
      } else return of;
    }
  }
}
