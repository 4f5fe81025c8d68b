/** Groups of lm-evaluation-harness with the tasks and groups that they name, overrides applied. */

import { ConfigError } from "@espalier/core";
import type { KnowledgeGroup } from "../knowledge/summary.ts";
import type { KnowledgeSet } from "../knowledge/task.ts";
import { type BuiltInSets, changeBuiltIn, type LoadBuiltIn } from "./builtIn.ts";
import type { ReadInclude, YamlConfig } from "./config.ts";
import { groupKeys, groupOfConfig, taskKeys, type YamlGroup, type YamlMember } from "./group.ts";
import { TASK_KEYS, taskOfConfig, type YamlTask } from "./task.ts";

/** What a name stands for: the keys of a task or group file, the tasks that carry it as a tag, or tasks of this project. */
export type FoundMember = { readonly config: YamlConfig; readonly path: string } | { readonly tagged: readonly string[] } | { readonly builtIn: LoadBuiltIn };

/** A task of a file, whose documents are still to be read, or a built-in one with its documents. */
export type ExpandedTask = {
  /** The name in its file; that of `task` or `set` differs where the group has the task more than once. */
  readonly name: string;
} & ({ readonly task: YamlTask } | { readonly set: KnowledgeSet });

export interface ExpandedGroup {
  readonly tasks: readonly ExpandedTask[];
  /** Each before the groups below it. */
  readonly groups: readonly KnowledgeGroup[];
}

/**
 * The tasks below a group and the groups for `evaluateKnowledge`. As in lm-evaluation-harness, the keys that a member or a
 * group sets are pushed down to all tasks below, where the outermost wins; a tag stands for its tasks; a member that has no
 * file but says how documents are asked is a task of its own. A task that is there again with other overrides is `name-1`.
 *
 * @param find  what a name stands for; undefined where it stands for nothing
 * @throws {ConfigError} for a name that stands for nothing, a key that no task has, and groups that contain themselves
 */
export async function expandGroup(root: YamlGroup, find: (name: string) => FoundMember | undefined, readInclude: ReadInclude): Promise<ExpandedGroup> {
  const tasks: ExpandedTask[] = [];
  const groups: (KnowledgeGroup & { tasks: readonly string[] })[] = [];
  /** Results by what they are made of, so that the same thing met twice is one. */
  const known = new Map<string, string>();
  const used = new Set<string>();
  const nameOnce = (identity: string, name: string): { name: string; isNew: boolean } => {
    const before = known.get(identity);
    if (before !== undefined) return { name: before, isNew: false };
    let free = name;
    for (let i = 1; used.has(free); i++) free = `${name}-${i}`;
    used.add(free);
    known.set(identity, free);
    return { name: free, isNew: true };
  };

  const walk = async (group: YamlGroup, pushed: YamlConfig, trail: readonly string[]): Promise<string> => {
    const { name, isNew } = nameOnce(identityOf("group", group, pushed), group.name);
    if (!isNew) return name;
    const below: string[] = [];
    groups.push({ name, ...(group.alias !== undefined && { alias: group.alias }), tasks: below, metrics: group.metrics });
    const settings = { ...group.overrides, ...pushed };
    for (const member of group.members) below.push(...("members" in member ? [await walk(member, settings, trail)] : await resolve(member, settings, group, trail)));
    return name;
  };

  const resolve = async (member: YamlMember, pushed: YamlConfig, group: YamlGroup, trail: readonly string[]): Promise<string[]> => {
    const overrides = { ...member.overrides, ...pushed };
    const found = find(member.name);
    if (found === undefined) {
      const own = { ...member.included, ...overrides };
      if (own.doc_to_text === undefined) throw new ConfigError(`${group.path}: ${group.name} has the member ${member.name}, expected a task, group or tag of a file that is read with it, or a knowledge test of this project. Correct the name, or put its file beside the group's.`);
      return [addTask(member.name, own, {}, group)];
    }
    if ("tagged" in found) {
      const names: string[] = [];
      for (const name of found.tagged) names.push(...(await resolve({ ...member, name }, pushed, group, trail)));
      return names;
    }
    if ("builtIn" in found) {
      const { group: _, group_alias: alias, aggregate_metric_list: __, metadata: ___, ...changes } = { ...member.included, ...overrides };
      const split = changes.fewshot_split ?? undefined;
      return addBuiltIn(await found.builtIn(split === undefined || changes.num_fewshot === 0 ? undefined : String(split)), changes, alias as string | undefined, group);
    }
    if (!Array.isArray(found.config.task)) return [addTask(member.name, { ...member.included, ...found.config }, overrides, group, found.path)];
    if (Object.keys(member.included).length > 0) throw new ConfigError(`${group.path}: ${group.name} has an include at ${member.name}, which is a group, expected it at a task. Write the keys out, or put them into the group's tasks.`);
    if (trail.includes(member.name)) throw new ConfigError(`${group.path}: ${[...trail.slice(trail.indexOf(member.name)), member.name].join(" > ")} is a circle of groups, expected an end. Take one of them out.`);
    return [await walk(groupOfConfig({ ...found.config, ...groupKeys(overrides) }, found.path, readInclude), taskKeys(overrides), [...trail, member.name])];
  };

  const addBuiltIn = ({ sets, groups: rows }: BuiltInSets, changes: YamlConfig, alias: string | undefined, group: YamlGroup): string[] => {
    const owned = new Map<string, string>();
    for (const set of sets) {
      const { name: own, isNew } = nameOnce(identityOf("built in", set.task.name, changes), set.task.name);
      owned.set(set.task.name, own);
      if (!isNew) continue;
      const changed = changeBuiltIn(set, changes, `${group.path}: ${group.name}`);
      tasks.push({ name: set.task.name, set: { ...changed, task: { ...changed.task, name: own } } });
    }
    const names = rows.flatMap((row, i) => {
      const below = row.tasks.flatMap((name) => owned.get(name) ?? []);
      if (below.length === 0) return [];
      const { name, isNew } = nameOnce(identityOf("built in row", row.name, below), row.name);
      if (isNew) groups.push({ ...row, name, ...(i === 0 && alias !== undefined && { alias }), tasks: below });
      return [name];
    });
    return names.length > 0 ? [names[0]!] : [...owned.values()];
  };

  const addTask = (name: string, config: YamlConfig, overrides: YamlConfig, group: YamlGroup, path = group.path): string => {
    const { group: _, group_alias: __, aggregate_metric_list: ___, ...changes } = overrides;
    const strange = Object.keys(changes).find((key) => !TASK_KEYS.has(key));
    if (strange !== undefined) throw new ConfigError(`${group.path}: ${group.name} sets ${strange} of ${name}, expected one of ${[...TASK_KEYS].join(", ")}. Correct the key.`);
    const merged = { ...config, ...changes };
    const { name: own, isNew } = nameOnce(identityOf("task", name, merged), name);
    if (isNew) tasks.push({ name, task: path === group.path ? writtenOut({ ...merged, task: own }, path) : taskOfConfig({ ...merged, task: own }, path) });
    return own;
  };

  await walk(root, {}, [root.name]);
  return { tasks, groups };
}

/** A task that stands in the file of its group: what is wrong there is said of it, not of the whole file. */
function writtenOut(config: YamlConfig, path: string): YamlTask {
  try {
    return taskOfConfig(config, path);
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(error.message.replace(`${path}: `, `${path}: ${String(config.task)}: `), { cause: error }) : error;
  }
}

/** Same text for the same contents, whatever the order of keys. */
function identityOf(...parts: readonly unknown[]): string {
  return JSON.stringify(parts, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value,
  );
}
