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
import { baseConversion } from "./reasoning/baseConversion.ts";
import { basicArithmetic } from "./reasoning/basicArithmetic.ts";
import { binaryAlternation } from "./reasoning/binaryAlternation.ts";
import { booleanExpressions } from "./reasoning/booleanExpressions.ts";
import { caesarCipher } from "./reasoning/caesarCipher.ts";
import { chainSum } from "./reasoning/chainSum.ts";
import { coinFlip } from "./reasoning/coinFlip.ts";
import { countBits } from "./reasoning/countBits.ts";
import { dyckLanguages } from "./reasoning/dyckLanguages.ts";
import { familyRelationships } from "./reasoning/familyRelationships.ts";
import { knightsKnaves } from "./reasoning/knightsKnaves.ts";
import { letterCounting } from "./reasoning/letterCounting.ts";
import { listFunctions } from "./reasoning/listFunctions.ts";
import { navigate } from "./reasoning/navigate.ts";
import { numberSequences } from "./reasoning/numberSequences.ts";
import { numberSorting } from "./reasoning/numberSorting.ts";
import { objectCounting } from "./reasoning/objectCounting.ts";
import { propositionalLogic } from "./reasoning/propositionalLogic.ts";
import { shortestPath } from "./reasoning/shortestPath.ts";
import { spellBackward } from "./reasoning/spellBackward.ts";
import { stringInsertion } from "./reasoning/stringInsertion.ts";
import { stringManipulation } from "./reasoning/stringManipulation.ts";
import { syllogisms } from "./reasoning/syllogisms.ts";
import { timeIntervals } from "./reasoning/timeIntervals.ts";
import { trackingShuffledObjects } from "./reasoning/trackingShuffledObjects.ts";
import { wordSorting } from "./reasoning/wordSorting.ts";
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

/** Short problems with one answer, over strings, numbers, statements and small worlds. */
export const reasoningTasks: readonly Task[] = [
  spellBackward,
  letterCounting,
  wordSorting,
  numberSorting,
  stringManipulation,
  stringInsertion,
  caesarCipher,
  dyckLanguages,
  listFunctions,
  binaryAlternation,
  baseConversion,
  chainSum,
  basicArithmetic,
  timeIntervals,
  numberSequences,
  objectCounting,
  countBits,
  propositionalLogic,
  syllogisms,
  knightsKnaves,
  booleanExpressions,
  familyRelationships,
  shortestPath,
  navigate,
  trackingShuffledObjects,
  coinFlip,
];

/** Every task that runs without data. */
export const tasks: readonly Task[] = [...coreTasks, ...procedureTasks, ...retrievalTasks, ...reasoningTasks];

/** Bundles that `tasksNamed` takes beside single ids. */
const bundles: Readonly<Record<string, readonly Task[]>> = { iq: iqTasks, recall: recallTasks, procedures: procedureTasks, retrieval: retrievalTasks, reasoning: reasoningTasks, all: tasks };

/**
 * Tasks by id, or by the name of a bundle: `iq`, `recall`, `procedures`, `retrieval`, `reasoning`, `all`. Each comes once, in
 * its newest version; `counting@1` names an earlier one.
 *
 * @throws {ConfigError} naming the unknown id and all known ones
 */
export function tasksNamed(ids: readonly string[]): Task[] {
  const named = ids.flatMap((id) => {
    const found = bundles[id] ?? tasks.flatMap((known) => [known, ...(known.earlier ?? [])]).filter((known) => `${known.id}@${known.version}` === id || (known.id === id && tasks.includes(known)));
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
