/** All tasks that run without data, in the order of the paper; the command line and the report list them from here. */

import { ConfigError } from "@espalier/core";
import { counting } from "./counting.ts";
import { oneFactInText, twoFactsInText } from "./longStories.ts";
import { fullRepeating, headSlicing, headTail } from "./patterns.ts";
import { euclidSteps } from "./procedures/euclidSteps.ts";
import { headTailSteps } from "./procedures/headTailSteps.ts";
import { replaceSteps } from "./procedures/replaceSteps.ts";
import { runningTotal } from "./procedures/runningTotal.ts";
import { sortSteps } from "./procedures/sortSteps.ts";
import { stackSteps } from "./procedures/stackSteps.ts";
import { walkSteps } from "./procedures/walkSteps.ts";
import { associativeRecall, copying, induction } from "./recall.ts";
import { replaceLowercase, replaceWord } from "./replacement.ts";
import { multipleKeyRetrieval } from "./retrieval.ts";
import { commonWords } from "./ruler/commonWords.ts";
import { frequentWords } from "./ruler/frequentWords.ts";
import { needleMultiKey } from "./ruler/needleMultiKey.ts";
import { needleMultiQuery } from "./ruler/needleMultiQuery.ts";
import { needleMultiValue } from "./ruler/needleMultiValue.ts";
import { needleSingle } from "./ruler/needleSingle.ts";
import { variableTracking } from "./ruler/variableTracking.ts";
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

/** What `evaluate` asks unless told otherwise: the paper's families and the recall tasks. */
export const coreTasks: readonly Task[] = [...iqTasks, ...recallTasks];

/** Procedures with every step written out, for the prefix metrics. */
export const procedureTasks: readonly Task[] = [runningTotal, headTailSteps, replaceSteps, sortSteps, euclidSteps, walkSteps, stackSteps];

/** Retrieval by length and depth, and stories in long text: `length` is a knob of all but the word lists. */
export const retrievalTasks: readonly Task[] = [
  needleSingle,
  needleMultiKey,
  needleMultiValue,
  needleMultiQuery,
  variableTracking,
  commonWords,
  frequentWords,
  oneFactInText,
  twoFactsInText,
];

/** Every task that runs without data. */
export const tasks: readonly Task[] = [...coreTasks, ...procedureTasks, ...retrievalTasks];

/** Bundles that `tasksNamed` takes beside single ids. */
const bundles: Readonly<Record<string, readonly Task[]>> = { iq: iqTasks, recall: recallTasks, procedures: procedureTasks, retrieval: retrievalTasks, all: tasks };

/**
 * Tasks by id, or by the name of a bundle: `iq`, `recall`, `procedures`, `retrieval`, `all`. Each comes once.
 *
 * @throws {ConfigError} naming the unknown id and all known ones
 */
export function tasksNamed(ids: readonly string[]): Task[] {
  const named = ids.flatMap((id) => {
    const found = bundles[id] ?? tasks.filter((known) => known.id === id);
    if (found.length === 0) {
      throw new ConfigError(`tasksNamed: "${id}" is no task, expected one of ${[...Object.keys(bundles), ...tasks.map((known) => known.id)].join(", ")}.`);
    }
    return found;
  });
  return [...new Set(named)];
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
