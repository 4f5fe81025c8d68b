/** Task and group files with what they include. */

import type { KnowledgeGroup } from "../knowledge/summary.ts";
import { readConfig, type ReadInclude } from "./config.ts";
import { groupOfConfig, taskOfConfig, type YamlTask } from "./task.ts";

/**
 * Reads a task file or a group file of lm-evaluation-harness.
 *
 * @param path         of the file, for messages and for what is relative to it
 * @param readInclude  the text of an included file
 * @throws {ConfigError} naming what is malformed or not supported; Python functions by name
 */
export function readTaskYaml(text: string, path: string, readInclude: ReadInclude): { task: YamlTask } | { group: KnowledgeGroup } {
  const config = readConfig(text, path, readInclude);
  return Array.isArray(config.task) ? { group: groupOfConfig(config, path) } : { task: taskOfConfig(config, path) };
}
