/** Task and group files with what they include. */

import { readConfig, type ReadInclude } from "./config.ts";
import { groupOfConfig, type YamlGroup } from "./group.ts";
import { taskOfConfig, type YamlTask } from "./task.ts";

/**
 * Reads a task file or a group file of lm-evaluation-harness; `expandGroup` finds the tasks of a group.
 *
 * @param path         of the file, for messages and for what is relative to it
 * @param readInclude  the text of an included file
 * @throws {ConfigError} naming what is malformed or not supported; Python functions by name
 */
export function readTaskYaml(text: string, path: string, readInclude: ReadInclude): { task: YamlTask } | { group: YamlGroup } {
  const config = readConfig(text, path, readInclude);
  return Array.isArray(config.task) ? { group: groupOfConfig(config, path, readInclude) } : { task: taskOfConfig(config, path) };
}
