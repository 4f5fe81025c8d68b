export { type BabiQuestion, type BabiTaskOptions, babiTask, readBabi } from "./tasks/babi.ts";
export {
  type ClassificationItem,
  type ClassificationSet,
  type FixedSet,
  type ProceduralSet,
  madeUpFacts,
  madeUpPlacesChinese,
  readBoolQ,
  readXcopaZh,
  sameOrDifferent,
} from "./tasks/classificationSets.ts";
export { counting } from "./tasks/counting.ts";
export { type InContextDocument, type InContextOptions, inContextDocuments } from "./tasks/inContextDocuments.ts";
export { exportItems, type ItemSetOptions, itemSet, promptLengths } from "./tasks/itemSet.ts";
export { fullRepeating, headSlicing, headTail } from "./tasks/patterns.ts";
export { associativeRecall, copying, induction } from "./tasks/recall.ts";
export { replaceLowercase, replaceWord } from "./tasks/replacement.ts";
export { multipleKeyRetrieval } from "./tasks/retrieval.ts";
export { singleSupportingFact, twoSupportingFacts } from "./tasks/stories.ts";
export {
  type SymbolMappingOptions,
  symbolMapping,
  symbolMappingChinese,
  symbolMappingFacts,
  symbolMappingPairs,
} from "./tasks/symbolMapping.ts";
export { iqTasks, itemCount, recallTasks, type SetSize, tasks, tasksNamed } from "./tasks/table.ts";
export {
  canary,
  type Chance,
  type Difficulty,
  type Draft,
  type Draw,
  type Family,
  type Item,
  type Knob,
  type Knobs,
  type Level,
  type MetaValue,
  type Split,
  type Task,
  type TaskGroup,
  defineTask,
  difficultyName,
  knobsOf,
  levels,
  namespacedSeed,
  splitOfContent,
} from "./tasks/task.ts";
export {
  type EvaluateOptions,
  type Evaluation,
  type Sample,
  type Score,
  type Scoring,
  type TaskResult,
  evaluate,
  score,
} from "./evaluate.ts";
export { EndpointError, type EndpointOptions, type Lack } from "./models/endpoint.ts";
export { oracleModel, randomModel, unigramModel } from "./models/mock.ts";
export { type CompletionsOptions, openAiChat, openAiCompletions } from "./models/openAi.ts";
export {
  type IqClaim,
  type PaperCell,
  type PaperDifference,
  type PaperIqTables,
  type PaperModel,
  paperIqTables,
} from "./paper/iqTables.ts";
export { type PythonRandom, pythonRandom } from "./python/random.ts";
export {
  type McNemar,
  type PermutationOptions,
  type PowerOptions,
  type ProportionDifference,
  benjaminiHochberg,
  holm,
  mcnemar,
  minimumDetectableDifference,
  pairedPermutation,
  proportionDifference,
} from "./statistics/comparison.ts";
export { binomialCdf, binomialPmf, binomialTest, fisherTest } from "./statistics/distributions.ts";
export { betaInterval, clopperPearson, type Interval, ruleOfThree, wilson } from "./statistics/intervals.ts";
export {
  type Estimate,
  type PairedEstimate,
  aboveChance,
  clusteredEstimate,
  meanEstimate,
  pairedDifference,
  suiteAverage,
} from "./statistics/means.ts";
