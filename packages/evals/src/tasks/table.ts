/** All tasks that run without data, in the order of the paper; the command line and the report list them from here. */

import { ConfigError } from "@espalier/core";
import { counting } from "./counting.ts";
import { fullRepeating, headSlicing, headTail } from "./patterns.ts";
import { associativeRecall, copying, induction } from "./recall.ts";
import { replaceLowercase, replaceWord } from "./replacement.ts";
import { multipleKeyRetrieval } from "./retrieval.ts";
import { singleSupportingFact, twoSupportingFacts } from "./stories.ts";
import { symbolMappingChinese, symbolMappingFacts, symbolMappingPairs } from "./symbolMapping.ts";
import type { Task } from "./task.ts";

/** The IQ families of the paper. */
export const iqTasks: readonly Task[] = [
  symbolMappingPairs,
  symbolMappingFacts,
  symbolMappingChinese,
  counting,
  replaceLowercase,
  replaceWord,
  headTail,
  fullRepeating,
  headSlicing,
  multipleKeyRetrieval,
  singleSupportingFact,
  twoSupportingFacts,
];

/** Families beyond the paper that move in the smallest models. */
export const recallTasks: readonly Task[] = [copying, induction, associativeRecall];

export const tasks: readonly Task[] = [...iqTasks, ...recallTasks];

/**
 * Tasks by id.
 *
 * @throws {ConfigError} naming the unknown id and all known ones
 */
export function tasksNamed(ids: readonly string[]): Task[] {
  return ids.map((id) => {
    const task = tasks.find((known) => known.id === id);
    if (task === undefined) {
      throw new ConfigError(`tasksNamed: "${id}" is no task, expected one of ${tasks.map((known) => known.id).join(", ")}.`);
    }
    return task;
  });
}

/** Items per task: the paper's own counts (148, 300, 100, ...), a quick look, or enough to see 3 points. */
export type SetSize = number | "quick" | "paper" | "large";

export function itemCount(task: Task, size: SetSize): number {
  if (size === "paper") return task.paperItems;
  if (size === "quick") return 50;
  if (size === "large") return 2000;
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new ConfigError(`itemCount: items is ${size}, expected a whole number from 1, quick, paper or large.`);
  }
  return size;
}
