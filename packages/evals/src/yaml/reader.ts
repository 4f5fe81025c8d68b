import { ConfigError } from "@espalier/core";
import { compileTemplate } from "../jinja/render.ts";
import type { Doc } from "../knowledge/task.ts";
import { pythonStr } from "../python/json.ts";
import { literalEval } from "../python/literal.ts";
import { FunctionReference, type YamlConfig } from "./config.ts";
import { type DocFunction, docFunctions } from "./functions.ts";

/** Where a text, an answer or choices come from: a column or else a template over the document, a constant, or TypeScript. */
export type Field = { column: string; template: (doc: Doc) => string } | { constant: number | readonly unknown[] } | { function: DocFunction };

/** Keys of a file with their kinds checked. */
export class Reader {
  readonly #config: YamlConfig;
  readonly #path: string;

  constructor(config: YamlConfig, path: string) {
    this.#config = config;
    this.#path = path;
  }

  error(key: string, expected: string): ConfigError {
    const value = this.#config[key];
    const shown = value instanceof FunctionReference ? `!function ${value.name}` : JSON.stringify(value)?.slice(0, 100);
    return new ConfigError(`${this.#path}: ${key} is ${shown}, expected ${expected}. Correct the file.`);
  }

  optionalText(key: string): string | undefined {
    const value = this.#config[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    if (typeof value !== "string") throw this.error(key, "text");
    return value;
  }

  text(key: string, otherwise?: string): string {
    const value = this.optionalText(key) ?? otherwise;
    if (value === undefined) throw this.error(key, "text");
    return value;
  }

  oneOf<T extends string>(key: string, known: readonly T[], otherwise: T): T {
    const value = this.#config[key] ?? otherwise;
    const found = known.find((candidate) => candidate === value);
    if (found === undefined) throw this.error(key, `one of ${known.join(", ")}`);
    return found;
  }

  mapping(key: string): Readonly<Record<string, unknown>> {
    const value = this.#config[key] ?? {};
    if (typeof value !== "object" || Array.isArray(value) || value instanceof FunctionReference) throw this.error(key, "a mapping");
    return value as Readonly<Record<string, unknown>>;
  }

  /** The TypeScript that stands in for a function of the file's folder. */
  function<T>(key: string, table: Readonly<Record<string, T>>): T | undefined {
    const value = this.#config[key];
    if (value === undefined || value === null) return undefined;
    if (!(value instanceof FunctionReference)) throw this.error(key, "!function");
    const name = `${this.#path.split(/[\\/]/).at(-2) ?? ""}/${value.name}`;
    if (!Object.hasOwn(table, name)) throw this.error(key, `a template, or a function that this project has: ${Object.keys(table).join(", ")}. Python is not run; write the task in TypeScript`);
    return table[name];
  }

  field(key: string): Field {
    const value = this.#config[key];
    if (value instanceof FunctionReference) return { function: this.function(key, docFunctions)! };
    if (typeof value === "number" || Array.isArray(value)) return { constant: value };
    if (typeof value !== "string") throw this.error(key, "a column, a template, a number or a list");
    let template: ((doc: Doc) => string) | undefined;
    return { column: value, template: (doc) => (template ??= this.compile(key, value))(doc) };
  }

  compile(key: string, source: string): (doc: Doc) => string {
    try {
      return compileTemplate(source);
    } catch (cause) {
      throw new ConfigError(`${this.#path}: ${key}: ${(cause as Error).message}`, { cause });
    }
  }

  choices(key: string): (doc: Doc) => readonly string[] {
    const value = this.#config[key];
    if (typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof FunctionReference)) {
      const listed = Object.values(value).map(pythonStr);
      return () => listed;
    }
    const field = this.field(key);
    const listOf = (choices: unknown): readonly string[] => {
      if (!Array.isArray(choices)) throw this.error(key, "a list of choices");
      return choices.map(pythonStr);
    };
    if ("constant" in field) {
      const listed = listOf(field.constant);
      return () => listed;
    }
    if ("function" in field) return (doc) => listOf(field.function(doc));
    return (doc) => listOf(Object.hasOwn(doc, field.column) ? doc[field.column] : literalEval(field.template(doc)));
  }
}
