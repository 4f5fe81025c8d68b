/** Group files of lm-evaluation-harness: members by name with what they say otherwise, and the metrics summed up over them. */

import type { KnowledgeGroup } from "../knowledge/summary.ts";
import { type ReadInclude, withIncludes, type YamlConfig } from "./config.ts";
import { Reader } from "./reader.ts";
import { METRICS } from "./task.ts";

/** A task, group or tag by name. */
export interface YamlMember {
  readonly name: string;
  /** Keys that replace those of the task; of a group, those of every task below it. */
  readonly overrides: YamlConfig;
  /** Keys of the files that the member includes: beneath those of the task. */
  readonly included: YamlConfig;
}

/** A group as its file writes it. */
export interface YamlGroup {
  readonly name: string;
  /** What tables call it. */
  readonly alias?: string;
  /** The file that it stands in. */
  readonly path: string;
  /** Groups that are written out within this one stand among the members. */
  readonly members: readonly (YamlMember | YamlGroup)[];
  /** Keys of the group that its tasks take over. */
  readonly overrides: YamlConfig;
  /** Empty where the file sums up nothing. */
  readonly metrics: NonNullable<KnowledgeGroup["metrics"]>;
}

/** What a group says of itself; every other key is one of its tasks. */
const GROUP_KEYS: ReadonlySet<string> = new Set(["group", "group_alias", "task", "aggregate_metric_list", "metadata"]);
const pick = (config: YamlConfig, isWanted: (key: string) => boolean): YamlConfig => Object.fromEntries(Object.entries(config).filter(([key]) => isWanted(key)));

/** Keys that a group's tasks take over. */
export const taskKeys = (config: YamlConfig): YamlConfig => pick(config, (key) => !GROUP_KEYS.has(key) && key !== "task_alias");
/** Keys that a reference to a group may set otherwise: all of its own but its name and its members. */
export const groupKeys = (config: YamlConfig): YamlConfig => pick(config, (key) => GROUP_KEYS.has(key) && key !== "group" && key !== "task");

/**
 * A group from the keys of its file.
 *
 * @param path  of the file: what its members include is relative to it
 * @throws {ConfigError} for members that are no names, metrics that are unknown, and what is missing
 */
export function groupOfConfig(config: YamlConfig, path: string, readInclude: ReadInclude): YamlGroup {
  const reader = new Reader(config, path);
  if (!Array.isArray(config.task) || config.task.length === 0) throw reader.error("task", "a list of tasks");
  const members = config.task.map((member: unknown): YamlMember | YamlGroup => {
    if (typeof member === "string") return { name: member, overrides: {}, included: {} };
    if (typeof member !== "object" || member === null || Array.isArray(member)) throw reader.error("task", "names of tasks");
    const { task, group, include, ...rest } = member as YamlConfig;
    if (Array.isArray(task)) return groupOfConfig(withIncludes(member as YamlConfig, path, readInclude), path, readInclude);
    const name = task ?? group;
    if (typeof name !== "string") throw reader.error("task", "names of tasks");
    const { task: _, group: __, ...included } = include === undefined ? {} : withIncludes({ include }, path, readInclude);
    return { name, overrides: rest, included };
  });
  const alias = reader.optionalText("group_alias");
  return { name: reader.text("group"), ...(alias !== undefined && { alias }), path, members, overrides: taskKeys(config), metrics: metricsOf(config, reader) };
}

function metricsOf(config: YamlConfig, reader: Reader): YamlGroup["metrics"] {
  return ([config.aggregate_metric_list ?? []].flat() as YamlConfig[]).flatMap((entry) => {
    const metric = METRICS.find((known) => known === entry?.metric);
    if (metric === undefined) throw reader.error("aggregate_metric_list", `metrics among ${METRICS.join(", ")}`);
    if (![undefined, "mean"].includes(entry.aggregation as string)) throw reader.error("aggregate_metric_list", "aggregation mean");
    const weightBySize = entry.weight_by_size !== false;
    if (entry.filter_list === undefined || entry.filter_list === null) return [{ metric, weightBySize }];
    return [entry.filter_list].flat().map((filter) => ({ metric, filter: String(filter), weightBySize }));
  });
}
