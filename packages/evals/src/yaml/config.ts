/** Task files of lm-evaluation-harness as plain data: YAML with `include` and `!function`. */

import { ConfigError } from "@espalier/core";
import { parse, type ScalarTag, type Tags } from "yaml";

/** `!function module.name`: Python that this project does not run. */
export class FunctionReference {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** The keys of a task or group file, with includes taken in. */
export type YamlConfig = Readonly<Record<string, unknown>>;

const functionTag: ScalarTag = { tag: "!function", resolve: (name) => new FunctionReference(name.trim()) };

/** Python's loader takes yes, no, on and off for booleans, but not the single letters that YAML 1.1 also names. */
const booleansOfPython = (tags: Tags): Tags =>
  tags.map((tag) => {
    if (typeof tag === "string" || tag.tag !== "tag:yaml.org,2002:bool" || !("test" in tag)) return tag;
    const test = tag.test!.test("true") ? /^(?:[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON)$/ : /^(?:[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/;
    return { ...tag, test } as ScalarTag;
  });

/** Reads the file that an `include` names, relative to the including one; returns its text and its own path. */
export type ReadInclude = (name: string, from: string) => { text: string; path: string };

const MAX_INCLUDES = 20;

/**
 * The keys of a file; those of included files come first, so that its own win.
 *
 * @throws {ConfigError} for text that is no YAML mapping, an unknown tag, or includes that run in a circle
 */
export function readConfig(text: string, path: string, readInclude: ReadInclude, depth = 0): YamlConfig {
  if (depth > MAX_INCLUDES) throw new ConfigError(`${path}: more than ${MAX_INCLUDES} includes in a row, expected an end. Look for a circle.`);
  return withIncludes(parseMapping(text, path), path, readInclude, depth);
}

/** Keys with those of the files that their `include` names beneath them; `path` is the file that they stand in. */
export function withIncludes(own: YamlConfig, path: string, readInclude: ReadInclude, depth = 0): YamlConfig {
  if (own.include === undefined) return own;
  const included = [own.include].flat().map((name) => {
    if (typeof name !== "string") throw new ConfigError(`${path}: include is ${JSON.stringify(name)}, expected a path. Correct the file.`);
    const file = readInclude(name, path);
    return readConfig(file.text, file.path, readInclude, depth + 1);
  });
  const { include: _, ...rest } = own;
  return Object.assign({}, ...included, rest) as YamlConfig;
}

/** The keys of one file alone. */
export function parseMapping(text: string, path: string): YamlConfig {
  let value: unknown;
  try {
    // Python's loader is YAML 1.1; a key given twice keeps the later value.
    value = parse(text, { version: "1.1", schema: "yaml-1.1", customTags: (tags) => [...booleansOfPython(tags), functionTag], uniqueKeys: false, maxAliasCount: 100, logLevel: "error" });
  } catch (cause) {
    throw new ConfigError(`${path}: ${(cause as Error).message.split("\n")[0]} Expected a YAML mapping. Correct the file.`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof FunctionReference) throw new ConfigError(`${path}: ${JSON.stringify(value)?.slice(0, 60)}, expected a YAML mapping. Correct the file.`);
  return value as YamlConfig;
}
