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
export {
  type Axis,
  type CurveOptions,
  type CurvePoint,
  type CurveScoring,
  difficultyCurve,
  type DifficultyCurve,
  difficultyGrid,
  type DifficultyGrid,
  type StepScoring,
} from "./curves/difficultyCurve.ts";
export { curvePicture, gridPicture } from "./curves/picture.ts";
export { leakTest, type LeakTest, type TaskLeak } from "./leakTest.ts";
export { counting } from "./tasks/counting.ts";
export { type InContextDocument, type InContextOptions, inContextDocuments } from "./tasks/inContextDocuments.ts";
export { exportItems, type ItemSetOptions, itemSet, promptLengths } from "./tasks/itemSet.ts";
export { type Example, type ExampleFamily, type ExampleKnobs, exampleTask } from "./tasks/examples.ts";
export { type LongStoryOptions, longStory, oneFactInText, twoFactsInText } from "./tasks/longStories.ts";
export { type PartScores, partScores, setRecall, type Share, type StepScore, stepScore } from "./tasks/parts.ts";
export { fullRepeating, headSlicing, headTail } from "./tasks/patterns.ts";
export { euclidSteps } from "./tasks/procedures/euclidSteps.ts";
export { headTailSteps } from "./tasks/procedures/headTailSteps.ts";
export { replaceSteps } from "./tasks/procedures/replaceSteps.ts";
export { runningTotal } from "./tasks/procedures/runningTotal.ts";
export { sortSteps } from "./tasks/procedures/sortSteps.ts";
export { stackSteps } from "./tasks/procedures/stackSteps.ts";
export { walkSteps } from "./tasks/procedures/walkSteps.ts";
export { baseConversion } from "./tasks/reasoning/baseConversion.ts";
export { basicArithmetic } from "./tasks/reasoning/basicArithmetic.ts";
export { binaryAlternation } from "./tasks/reasoning/binaryAlternation.ts";
export { booleanExpressions } from "./tasks/reasoning/booleanExpressions.ts";
export { caesarCipher } from "./tasks/reasoning/caesarCipher.ts";
export { chainSum } from "./tasks/reasoning/chainSum.ts";
export { coinFlip } from "./tasks/reasoning/coinFlip.ts";
export { countBits } from "./tasks/reasoning/countBits.ts";
export { dyckLanguages } from "./tasks/reasoning/dyckLanguages.ts";
export { familyRelationships } from "./tasks/reasoning/familyRelationships.ts";
export { knightsKnaves } from "./tasks/reasoning/knightsKnaves.ts";
export { letterCounting } from "./tasks/reasoning/letterCounting.ts";
export { listFunctions } from "./tasks/reasoning/listFunctions.ts";
export { navigate } from "./tasks/reasoning/navigate.ts";
export { numberSequences } from "./tasks/reasoning/numberSequences.ts";
export { numberSorting } from "./tasks/reasoning/numberSorting.ts";
export { objectCounting } from "./tasks/reasoning/objectCounting.ts";
export { propositionalLogic } from "./tasks/reasoning/propositionalLogic.ts";
export { shortestPath } from "./tasks/reasoning/shortestPath.ts";
export { spellBackward } from "./tasks/reasoning/spellBackward.ts";
export { stringInsertion } from "./tasks/reasoning/stringInsertion.ts";
export { stringManipulation } from "./tasks/reasoning/stringManipulation.ts";
export { syllogisms } from "./tasks/reasoning/syllogisms.ts";
export { timeIntervals } from "./tasks/reasoning/timeIntervals.ts";
export { trackingShuffledObjects } from "./tasks/reasoning/trackingShuffledObjects.ts";
export { wordSorting } from "./tasks/reasoning/wordSorting.ts";
export { associativeRecall, copying, induction } from "./tasks/recall.ts";
export { replaceLowercase, replaceWord } from "./tasks/replacement.ts";
export { multipleKeyRetrieval } from "./tasks/retrieval.ts";
export { commonWords } from "./tasks/ruler/commonWords.ts";
export { frequentWords } from "./tasks/ruler/frequentWords.ts";
export { needleMultiKey } from "./tasks/ruler/needleMultiKey.ts";
export { needleMultiQuery } from "./tasks/ruler/needleMultiQuery.ts";
export { needleMultiValue } from "./tasks/ruler/needleMultiValue.ts";
export { needleSingle } from "./tasks/ruler/needleSingle.ts";
export { variableTracking } from "./tasks/ruler/variableTracking.ts";
export { singleSupportingFact, twoSupportingFacts } from "./tasks/stories.ts";
export {
  type SymbolMappingOptions,
  symbolMapping,
  symbolMappingChinese,
  symbolMappingFacts,
  symbolMappingPairs,
} from "./tasks/symbolMapping.ts";
export { symbolMappingOf, type SymbolSetEntry, type SymbolSetFile, symbolSetNamed, symbolSetTable } from "./tasks/symbolSets/table.ts";
export { coreTasks, iqTasks, itemCount, procedureTasks, reasoningTasks, recallTasks, retrievalTasks, type SetSize, tasks, tasksNamed } from "./tasks/table.ts";
export {
  canary,
  type Chance,
  type Difficulty,
  type Draft,
  type Draw,
  type EarlierVersion,
  type Family,
  type Item,
  type Knob,
  type Knobs,
  type Level,
  type MetaValue,
  type Parts,
  type Split,
  type Task,
  type TaskGroup,
  defineTask,
  difficultyName,
  isPrivateContent,
  isPrivateSeed,
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
export { type Agreement, agreement } from "./comparison/agreement.ts";
export { type Comparison, type MetricComparison, type PromptDifference, compareSamples } from "./comparison/compareSamples.ts";
export type { LoggedSample } from "./comparison/logged.ts";
export { babi, readBabiDocs } from "./knowledge/babi/task.ts";
export { bbh, type BbhForm, readBbh } from "./knowledge/bbh/task.ts";
export { arc } from "./knowledge/arc/task.ts";
export { boolQ, readBoolQDocs } from "./knowledge/boolQ/task.ts";
export { ceval, cmmlu, readExam } from "./knowledge/chineseExams/task.ts";
export { chid, readChid } from "./knowledge/clue/chid.ts";
export { cmrc, readCmrc } from "./knowledge/clue/cmrc.ts";
export { cmrcScores } from "./knowledge/clue/cmrcScores.ts";
export { iflytek, iflytekKinds, readIflytek } from "./knowledge/clue/iflytek.ts";
export { afqmc, c3, clueWsc, cmnli, csl, ocnli, readC3, readClue, tnews } from "./knowledge/clue/task.ts";
export { numberFilter, wordsToNumber } from "./knowledge/numberWords.ts";
export { openBookQa, piqa, sciq } from "./knowledge/commonsense/task.ts";
export { copa, readCopa } from "./knowledge/copa/task.ts";
export { evaluateKnowledge, type KnowledgeEvaluation, type KnowledgeOptions } from "./knowledge/evaluateKnowledge.ts";
export { type Asked, DEFAULT_FEWSHOT_SEED, type FewshotOptions, askedDocuments } from "./knowledge/fewshot.ts";
export { type ChoiceFilterOptions, type IgnoreOptions, multiChoiceFilter } from "./knowledge/choiceFilter.ts";
export { evaluateFewshotSeeds, type SeedScore, type SeedsEvaluation, type SeedsOptions } from "./knowledge/fewshotSeeds.ts";
export { type ExactMatchOptions, type Filter, type MapFilterOptions, type RegexFilterOptions, exactMatch, mapFilter, regexFilter, wordSortFilter } from "./knowledge/filters.ts";
export { checkGolden, type GoldenCheck, type GoldenEntry, readGolden } from "./knowledge/golden.ts";
export { gsm8k } from "./knowledge/gsm8k/task.ts";
export { hellaswag } from "./knowledge/hellaswag/task.ts";
export { lambada, readLambada } from "./knowledge/lambada/task.ts";
export { type DocScore, type MetricName, type MetricSpec, type ResponseScores, scoreDocument } from "./knowledge/metrics.ts";
export { mmlu, mmluGroups, mmluSets } from "./knowledge/mmlu/task.ts";
export { readJsonLines } from "./knowledge/readers.ts";
export { type DocumentRequests, requestsOf } from "./knowledge/requests.ts";
export { type AnsweredLikelihood, type GenerationSettings, type KnowledgeSample, requestsHash, taskHash } from "./knowledge/sample.ts";
export { type GroupResult, type KnowledgeGroup, type KnowledgeResult, type KnowledgeScore } from "./knowledge/summary.ts";
export { multirc } from "./knowledge/superGlue/multirc.ts";
export { record } from "./knowledge/superGlue/record.ts";
export { cb, rte, wic, wsc } from "./knowledge/superGlue/task.ts";
export { type DataFile, type KnowledgeEntry, knowledgeBundles, knowledgeNamed, knowledgeTable } from "./knowledge/table.ts";
export type { Doc, Harness, KnowledgeSet, KnowledgeTask, OutputType, ReadFile } from "./knowledge/task.ts";
export { readTruthfulQa, truthfulQaMc, truthfulQaMc1, truthfulQaMc2 } from "./knowledge/truthfulQa/task.ts";
export { wikitext } from "./knowledge/wikitext/task.ts";
export { winogrande, wsc273 } from "./knowledge/winograd/task.ts";
export { xcopa, xcopaLanguages } from "./knowledge/xcopa/task.ts";
export { type CacheCounts, type CachedAnswer, cachedModel, memoryCache, type RequestCache } from "./models/cache.ts";
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
export { compileTemplate, type Template } from "./jinja/render.ts";
export type { ReadInclude, YamlConfig } from "./yaml/config.ts";
export type { BuiltInSets, LoadBuiltIn } from "./yaml/builtIn.ts";
export { type ExpandedGroup, type ExpandedTask, expandGroup, type FoundMember } from "./yaml/expand.ts";
export type { YamlGroup, YamlMember } from "./yaml/group.ts";
export { readTaskYaml } from "./yaml/load.ts";
export type { YamlSource, YamlTask } from "./yaml/task.ts";
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
  pairedProportions,
  proportionDifference,
} from "./statistics/comparison.ts";
export { type RunAbout, safeName } from "./results/about.ts";
export { harnessPaths, harnessResults, harnessSamples } from "./results/harness.ts";
export { inspectLogs, inspectPath } from "./results/inspect.ts";
export type { AnyEvaluation } from "./results/reported.ts";
export { binomialCdf, binomialPmf, binomialTest, fisherTest } from "./statistics/distributions.ts";
export { isShareMetric } from "./knowledge/aggregate.ts";
export { type BoundedOptions, boundedEstimate } from "./statistics/bounded.ts";
export { boundedDifference } from "./statistics/boundedDifference.ts";
export { jeffreysDifference } from "./statistics/disagreements.ts";
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
