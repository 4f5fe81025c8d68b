/** Tasks of this project as members of group files: what a group may say otherwise of them. */

import { ConfigError } from "@espalier/core";
import type { KnowledgeGroup } from "../knowledge/summary.ts";
import type { KnowledgeSet } from "../knowledge/task.ts";
import type { YamlConfig } from "./config.ts";
import { Reader } from "./reader.ts";

/** Sets that a name of this project stands for, and the rows over them: none for one task or a tag. */
export interface BuiltInSets {
  readonly sets: readonly KnowledgeSet[];
  /** The outermost first; tasks by name. */
  readonly groups: readonly KnowledgeGroup[];
}

/** Reads them; shots come from another split than usual where the group names one. */
export type LoadBuiltIn = (fewshotSplit?: string) => Promise<BuiltInSets>;

/** Keys of a task file that change a built-in task. */
export const BUILT_IN_KEYS = ["num_fewshot", "fewshot_split", "task_alias", "description", "target_delimiter", "fewshot_delimiter"] as const;

/**
 * A set as its group wants it asked. A number of shots replaces the task's own, a 0 included, as an override of a file does.
 *
 * @param where  file and group, for messages
 * @throws {ConfigError} for keys beside `BUILT_IN_KEYS`, and values of another kind
 */
export function changeBuiltIn(set: KnowledgeSet, changes: YamlConfig, where: string): KnowledgeSet {
  const strange = Object.keys(changes).find((key) => !(BUILT_IN_KEYS as readonly string[]).includes(key));
  if (strange !== undefined) throw new ConfigError(`${where} sets ${strange} of ${set.task.name}, which is built in, expected one of ${BUILT_IN_KEYS.join(", ")}. Leave it out, or give the task a file of its own.`);
  const reader = new Reader(changes, where);
  const shots = changes.num_fewshot ?? undefined;
  if (shots !== undefined && (!Number.isInteger(shots) || (shots as number) < 0)) throw reader.error("num_fewshot", "a whole number from 0");
  const given = {
    numFewshot: shots as number | undefined,
    alias: reader.optionalText("task_alias"),
    description: reader.optionalText("description"),
    targetDelimiter: reader.optionalText("target_delimiter"),
    fewshotDelimiter: reader.optionalText("fewshot_delimiter"),
  };
  if (given.description?.includes("{")) throw reader.error("description", "plain text, since templates need a task file");
  const own = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...set, task: { ...set.task, ...own } };
}
