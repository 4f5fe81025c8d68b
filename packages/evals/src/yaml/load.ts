/** Task and group files with what they include. */

import type { KnowledgeGroup } from "../knowledge/summary.ts";
import { readConfig, type ReadInclude } from "./config.ts";
import { groupsOfConfig } from "./group.ts";
import { taskOfConfig, type YamlTask } from "./task.ts";

/**
 * Reads a task file or a group file of lm-evaluation-harness; `inner` are the groups written out within a group.
 *
 * @param path         of the file, for messages and for what is relative to it
 * @param readInclude  the text of an included file
 * @throws {ConfigError} naming what is malformed or not supported; Python functions by name
 */
export function readTaskYaml(text: string, path: string, readInclude: ReadInclude): { task: YamlTask } | { group: KnowledgeGroup; inner: readonly KnowledgeGroup[] } {
  const config = readConfig(text, path, readInclude);
  if (!Array.isArray(config.task)) return { task: taskOfConfig(config, path) };
  const [group, ...inner] = groupsOfConfig(config, path);
  return { group, inner };
}
