/** Group files of lm-evaluation-harness: tasks by name, and which metrics are summed up over them. */

import type { KnowledgeGroup } from "../knowledge/summary.ts";
import type { YamlConfig } from "./config.ts";
import { METRICS, Reader } from "./task.ts";

/** What a member may say besides its name without being another task. */
const LABELS = new Set(["task", "group", "task_alias", "group_alias", "aggregate_metric_list", "metadata"]);

/**
 * The groups of a file: its own first, then those written out within it, each before its own members.
 *
 * @throws {ConfigError} for a member that changes the task it names: the task of that name is another one
 */
export function groupsOfConfig(config: YamlConfig, path: string): KnowledgeGroup[] {
  const reader = new Reader(config, path);
  if (!Array.isArray(config.task)) throw reader.error("task", "a list of tasks");
  const inner: KnowledgeGroup[] = [];
  const tasks = config.task.map((member: unknown) => {
    if (typeof member === "string") return member;
    if (typeof member !== "object" || member === null || Array.isArray(member)) throw reader.error("task", "names of tasks");
    const { task, group } = member as YamlConfig;
    const change = Object.keys(member).find((key) => !LABELS.has(key));
    if (change !== undefined) throw reader.error("task", `names of tasks and groups of names; ${change} of ${String(task ?? group)} makes it another task, which needs a file of its own`);
    if (Array.isArray(task)) {
      const groups = groupsOfConfig(member as YamlConfig, path);
      inner.push(...groups);
      return groups[0].name;
    }
    const name = task ?? group;
    if (typeof name !== "string") throw reader.error("task", "names of tasks");
    return name;
  });
  const metrics = ([config.aggregate_metric_list ?? []].flat() as YamlConfig[]).flatMap((entry) => {
    const metric = METRICS.find((known) => known === entry?.metric);
    if (metric === undefined) throw reader.error("aggregate_metric_list", `metrics among ${METRICS.join(", ")}`);
    if (![undefined, "mean"].includes(entry.aggregation as string)) throw reader.error("aggregate_metric_list", "aggregation mean");
    return [entry.filter_list ?? "none"].flat().map((filter) => ({ metric, filter: String(filter), weightBySize: entry.weight_by_size !== false }));
  });
  return [{ name: reader.text("group"), tasks, ...(metrics.length > 0 && { metrics }) }, ...inner];
}
