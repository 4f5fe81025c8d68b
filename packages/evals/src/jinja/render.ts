/**
 * Jinja templates as the task files of lm-evaluation-harness use them: undefined names fail, the last line break stays,
 * values behave as Python's (positions count code points, lists print as `repr`). Values of documents are JSON: a whole
 * number is an int.
 */

import { ConfigError } from "@espalier/core";
import { applyFilter, applyTest } from "./filters.ts";
import { methodOf } from "./methods.ts";
import { binary, compareBy, MAX_LENGTH } from "./operators.ts";
import { type Argument, type Expression, type Node, parseTemplate, type Target } from "./parser.ts";
import { type Callable, defined, fail, float, integer, isDict, isList, iterate, Namespace, numeric, slice, str, truthy, Tuple, typeName, Undefined, type Value, isFloat } from "./values.ts";

/** A template that renders documents. */
export type Template = (variables: Readonly<Record<string, unknown>>) => string;

/** Names by scope; a loop opens one, and what is set within it ends with it. */
class Scope {
  readonly #names = new Map<string, Value>();
  readonly #outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  get(name: string): Value | undefined {
    return this.#names.get(name) ?? this.#outer?.get(name);
  }

  set(name: string, value: Value): void {
    this.#names.set(name, value);
  }
}

const globals: Record<string, Callable> = {
  range(given) {
    const [a, b, step = 1] = given.map((value) => integer(value, "range"));
    const [from, to] = b === undefined ? [0, a] : [a, b];
    const count = Math.max(0, Math.ceil((to - from) / step));
    if (!(count <= 1_000_000)) throw fail(`range of ${count}`, "at most 1,000,000 and a step other than 0");
    return Array.from({ length: count }, (_, i) => from + i * step);
  },
  namespace: (_, named) => new Namespace(Object.entries(named)),
  dict: (_, named) => ({ ...named }),
};

/**
 * Compiles a template.
 *
 * @throws {ConfigError} for what is malformed or outside the subset; rendering throws {DataError} where Python would fail
 */
export function compileTemplate(source: string): Template {
  const nodes = parseTemplate(source);
  return (variables) => {
    const scope = new Scope();
    for (const [name, value] of Object.entries(variables)) scope.set(name, value as Value);
    return renderNodes(nodes, scope);
  };
}

function renderNodes(nodes: readonly Node[], scope: Scope): string {
  let out = "";
  for (const node of nodes) {
    out += renderNode(node, scope);
    if (out.length > MAX_LENGTH) throw fail(`${out.length} characters`, `at most ${MAX_LENGTH}`);
  }
  return out;
}

function renderNode(node: Node, scope: Scope): string {
  if (node.kind === "text") return node.text;
  if (node.kind === "output") return str(evaluate(node.of, scope));
  if (node.kind === "if") {
    const branch = node.branches.find(([test]) => test === undefined || truthy(evaluate(test, scope)));
    return branch === undefined ? "" : renderNodes(branch[1], scope);
  }
  if (node.kind === "set") {
    assign(node.target, node.value === undefined ? renderNodes(node.body!, new Scope(scope)) : evaluate(node.value, scope), scope);
    return "";
  }
  const bind = (item: Value) => {
    const inner = new Scope(scope);
    assign(node.target, item, inner);
    return inner;
  };
  const items = iterate(evaluate(node.over, scope)).filter((item) => node.only === undefined || truthy(evaluate(node.only, bind(item))));
  if (items.length === 0) return renderNodes(node.otherwise, scope);
  let out = "";
  for (const [i, item] of items.entries()) {
    const inner = bind(item);
    inner.set("loop", loopOf(items, i));
    out += renderNodes(node.body, inner);
    if (out.length > MAX_LENGTH) throw fail(`${out.length} characters`, `at most ${MAX_LENGTH}`);
  }
  return out;
}

const loopOf = (items: readonly Value[], i: number): Value => ({
  index: i + 1,
  index0: i,
  revindex: items.length - i,
  revindex0: items.length - i - 1,
  first: i === 0,
  last: i === items.length - 1,
  length: items.length,
  previtem: items[i - 1] ?? new Undefined("previtem"),
  nextitem: items[i + 1] ?? new Undefined("nextitem"),
});

function assign(target: Target, value: Value, scope: Scope): void {
  if ("namespace" in target) {
    const space = scope.get(target.namespace);
    if (!(space instanceof Namespace)) throw fail(`set ${target.namespace}.${target.attribute}`, "a namespace");
    space.fields.set(target.attribute, value);
    return;
  }
  if (target.names.length === 1) return scope.set(target.names[0], value);
  const parts = iterate(value);
  if (parts.length !== target.names.length) throw fail(`${parts.length} values for ${target.names.join(", ")}`, `${target.names.length}`);
  target.names.forEach((name, i) => scope.set(name, parts[i]));
}

function evaluate(expression: Expression, scope: Scope): Value {
  const of = (inner: Expression) => evaluate(inner, scope);
  switch (expression.kind) {
    case "constant":
      return expression.value;
    case "float":
      return float(expression.value);
    case "name":
      return scope.get(expression.name) ?? (Object.hasOwn(globals, expression.name) ? globals[expression.name] : new Undefined(expression.name));
    case "list":
      return expression.items.map(of);
    case "tuple":
      return Tuple.from(expression.items.map(of));
    case "dict":
      return Object.fromEntries(expression.entries.map(([key, value]) => [str(of(key)), of(value)]));
    case "attribute":
      return attribute(of(expression.of), expression.name);
    case "item":
      return item(of(expression.of), of(expression.key));
    case "slice":
      return sliceOf(expression, of);
    case "call":
      return call(of(expression.of), argumentsOf(expression.arguments, of));
    case "filter":
      return applyFilter(expression.name, of(expression.of), ...argumentsOf(expression.arguments, of));
    case "test":
      return applyTest(expression.name, of(expression.of), argumentsOf(expression.arguments, of)[0]) !== expression.negated;
    case "unary":
      return unary(expression.operator, of(expression.of));
    case "binary": {
      const left = of(expression.left);
      if (expression.operator === "and") return truthy(left) ? of(expression.right) : left;
      if (expression.operator === "or") return truthy(left) ? left : of(expression.right);
      return binary(expression.operator, left, of(expression.right));
    }
    case "compare": {
      let left = of(expression.first);
      for (const [operator, operand] of expression.rest) {
        const right = of(operand);
        if (!compareBy(operator, left, right)) return false;
        left = right;
      }
      return true;
    }
    case "choose":
      if (truthy(of(expression.test))) return of(expression.yes);
      return expression.no === undefined ? new Undefined("the missing else") : of(expression.no);
  }
}

function argumentsOf(given: readonly Argument[], of: (inner: Expression) => Value): [Value[], Record<string, Value>] {
  const positional = given.filter(({ name }) => name === undefined).map(({ value }) => of(value));
  return [positional, Object.fromEntries(given.filter(({ name }) => name !== undefined).map(({ name, value }) => [name!, of(value)]))];
}

/** `value.name`: a method first, then a key, as Jinja looks. */
function attribute(value: Value, name: string): Value {
  const known = defined(value);
  if (known instanceof Namespace) return known.fields.get(name) ?? new Undefined(name);
  return methodOf(known, name) ?? (isDict(known) && Object.hasOwn(known, name) ? known[name] : new Undefined(name));
}

/** `value[key]`: a key or index first, then a method. */
function item(value: Value, key: Value): Value {
  const known = defined(value);
  if (isDict(known) && Object.hasOwn(known, str(key))) return known[str(key)];
  if (typeof known === "string" || isList(known)) {
    if (typeof key === "number" || typeof key === "boolean") {
      const items = iterate(known);
      return items.at(integer(key, "index")) ?? new Undefined(`index ${str(key)} of ${items.length}`);
    }
  }
  return (typeof key === "string" ? methodOf(known, key) : undefined) ?? new Undefined(str(key));
}

function sliceOf(expression: Extract<Expression, { kind: "slice" }>, of: (inner: Expression) => Value): Value {
  const bound = (part: Expression | undefined) => {
    const value = part === undefined ? null : of(part);
    return value === null ? null : integer(value, "a slice");
  };
  return slice(of(expression.of), bound(expression.start), bound(expression.stop), bound(expression.step));
}

function call(callee: Value, [positional, named]: [Value[], Record<string, Value>]): Value {
  const known = defined(callee);
  if (typeof known !== "function") throw new ConfigError(`jinja: a call of ${typeName(known)}, expected a method or a function. Rewrite the template.`);
  return known(positional, named);
}

function unary(operator: string, value: Value): Value {
  if (operator === "not") return !truthy(value);
  const x = numeric(value, operator) * (operator === "-" ? -1 : 1);
  return isFloat(value) ? float(x) : x + 0;
}
