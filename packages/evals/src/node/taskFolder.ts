/** Task and group files of a folder by the names that they give, as group files refer to them. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import { parseMapping } from "../yaml/config.ts";

/** Names of a folder: files of tasks and groups, and tasks by tag. */
export interface TaskFolder {
  /** Of tasks and groups, and tags. */
  readonly names: readonly string[];
  /** The file of a task or group. @throws {ConfigError} where several files give the name */
  fileOf(name: string): string | undefined;
  tasksOf(tag: string): readonly string[] | undefined;
}

/** The keys that name a file, each with the lines that belong to it: the rest may be what this project does not read. */
const NAMING = /^(["']?)(?:task|group|tag)\1[ \t]*:.*(?:\r?\n(?:[ \t-].*)?)*/gm;

/**
 * Reads the names of all .yaml and .yml files below a directory. Files without a name, which others include, and files that are no YAML
 * are passed over.
 *
 * @throws {FileError} when the directory or a file cannot be read
 */
export async function readTaskFolder(directory: string): Promise<TaskFolder> {
  const entries = await readdir(directory, { recursive: true }).catch((error: unknown) => {
    throw fileError("reading", directory, error);
  });
  const files = new Map<string, string[]>();
  const tags = new Map<string, string[]>();
  const add = (map: Map<string, string[]>, key: unknown, value: string) => {
    if (typeof key === "string") map.set(key, [...(map.get(key) ?? []), value]);
  };
  for (const entry of entries.filter((name) => /\.ya?ml$/.test(name)).sort()) {
    const path = join(directory, entry);
    const text = await readFile(path, "utf8").catch((error: unknown) => {
      throw fileError("reading", path, error);
    });
    const names = namesIn(text, path);
    if (names === undefined) continue;
    add(files, names.group ?? names.task, path);
    if (typeof names.task === "string") for (const tag of [names.tag].flat()) add(tags, tag, names.task);
  }
  return {
    names: [...new Set([...files.keys(), ...tags.keys()])],
    fileOf(name) {
      const found = files.get(name) ?? [];
      if (found.length > 1) throw new ConfigError(`${found[0]}: ${name} is also the name of ${found.slice(1).join(", ")}, expected one file of that name. Rename or remove the others.`);
      return found[0];
    },
    tasksOf: (tag) => tags.get(tag),
  };
}

function namesIn(text: string, path: string): { task?: unknown; group?: unknown; tag?: unknown } | undefined {
  const named = text.match(NAMING);
  if (named === null) return undefined;
  try {
    const { task, group, tag } = parseMapping(named.join("\n"), path);
    // A task's `group` is the older word for its tags.
    return Array.isArray(task) ? { group } : { task, tag: [tag ?? [], group ?? []].flat() };
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
