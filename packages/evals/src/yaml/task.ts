/**
 * Task files of lm-evaluation-harness as tasks: the YAML subset and its Jinja. Python functions are not run: those that
 * this project has in TypeScript stand in, all others are refused by name.
 */

import { compileTemplate } from "../jinja/render.ts";
import type { AggregationName } from "../knowledge/aggregate.ts";
import type { MetricName, MetricSpec } from "../knowledge/metrics.ts";
import type { Doc, KnowledgeTask, OutputType } from "../knowledge/task.ts";
import { literalEval } from "../python/literal.ts";
import { FunctionReference, type YamlConfig } from "./config.ts";
import { answersNeeded, filtersOf } from "./filters.ts";
import { processFunctions, scoreFunctions } from "./functions.ts";
import { type Field, Reader } from "./reader.ts";

/** Where the documents of a task file come from, for the manifest to map to files. */
export interface YamlSource {
  path?: string;
  name?: string;
  /** Split that is scored, and the one that shots are taken from. */
  scored: string;
  fewshot: string;
  /** Files by split, where `dataset_kwargs: {data_files: ...}` names them. */
  files?: Readonly<Record<string, string>>;
}

export interface YamlTask {
  task: KnowledgeTask;
  source: YamlSource;
  tags: readonly string[];
  /** Run over each document before anything else. */
  process: (doc: Doc) => Doc;
}

const OUTPUT_TYPES: readonly OutputType[] = ["multiple_choice", "loglikelihood", "loglikelihood_rolling", "generate_until"];
const IGNORED = ["training_split", "should_decontaminate", "use_prompt"];
/** What the harness would do and this reader does not; present and not empty, it is refused. */
const UNSUPPORTED = ["custom_dataset", "doc_to_image", "doc_to_audio", "class", "unsafe_code"];
export const METRICS: readonly MetricName[] = ["acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match", "f1", "em", "mcc", "brier_score", "likelihood", "perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte"];
const AGGREGATIONS: readonly AggregationName[] = ["mean", "perplexity", "weighted_perplexity", "bits_per_byte", "f1", "mcc"];
const DEFAULT_METRICS: Record<OutputType, readonly MetricName[]> = {
  multiple_choice: ["acc", "acc_norm"],
  loglikelihood: ["perplexity", "acc"],
  loglikelihood_rolling: ["word_perplexity", "byte_perplexity", "bits_per_byte"],
  generate_until: ["exact_match"],
};

/**
 * A task from the keys of its file.
 *
 * @param path  of the file: its folder tells functions of the same name apart
 * @throws {ConfigError} naming the key, function, filter or metric that is not supported
 */
export function taskOfConfig(config: YamlConfig, path: string): YamlTask {
  const reader = new Reader(config, path);
  const outputType = reader.oneOf("output_type", OUTPUT_TYPES, "generate_until");
  for (const key of UNSUPPORTED) if (![undefined, null, false].includes(config[key] as null)) throw reader.error(key, "nothing; this reader does not support it. Write the task in TypeScript");
  const testSplit = reader.optionalText("test_split");
  const fewshotSplit = reader.optionalText("fewshot_split");
  const fewshot = reader.mapping("fewshot_config");
  const own = { text: reader.field("doc_to_text"), target: reader.field("doc_to_target"), choices: config.doc_to_choice === undefined || config.doc_to_choice === null ? undefined : reader.choices("doc_to_choice") };
  const hasChoices = own.choices !== undefined;
  const text = asText(own.text, hasChoices);
  const target = asTarget(own.target, hasChoices);
  const shots = new Reader({ ...fewshot }, path);
  const process = reader.function("process_docs", processFunctions) ?? ((doc: Doc) => doc);
  const processResults = reader.function("process_results", scoreFunctions);
  const cachedChoices = own.choices;
  const description = reader.text("description", "");
  const prefix = reader.optionalText("gen_prefix");
  const alias = reader.optionalText("task_alias");
  const scoredSplit = testSplit === undefined ? "validation" : "test";
  const shotSplit = (fewshot.split as string | undefined) ?? fewshotSplit;
  const template = description.includes("{") ? compileTemplate(description) : undefined;
  const query = reader.optionalText("doc_to_decontamination_query");
  const repeats = Number(config.repeats ?? 1);
  const isGenerative = outputType === "generate_until";
  if (!Number.isInteger(repeats) || repeats < 1) throw reader.error("repeats", "a whole number from 1");
  // Likelihoods are the same every time, so the harness's first of several is the only one.
  if (isGenerative && repeats < answersNeeded(config.filter_list)) throw reader.error("repeats", `${answersNeeded(config.filter_list)} or more, as many as take_first_k takes`);
  const task: KnowledgeTask = {
    name: reader.text("task"),
    ...(alias !== undefined && { alias }),
    version: Number((config.metadata as { version?: unknown } | undefined)?.version ?? 0),
    harness: "v0.4",
    outputType,
    ...(template ? { description: template } : description !== "" && { description }),
    targetDelimiter: reader.text("target_delimiter", " "),
    fewshotDelimiter: reader.text("fewshot_delimiter", "\n\n"),
    ...(typeof config.num_fewshot === "number" && { numFewshot: config.num_fewshot }),
    sampler: shots.oneOf("sampler", ["default", "first_n"] as const, "default"),
    scoredSplit,
    ...leavingOut(shotSplit, testSplit, reader),
    ...(Array.isArray(fewshot.samples) && { fewshotDocs: fewshot.samples as Doc[] }),
    ...shotFields(shots, hasChoices),
    ...(prefix !== undefined && { generationPrefix: asString(prefix) }),
    text: (doc) => text(doc),
    target: (doc) => target(doc),
    ...(cachedChoices && { choices: cachedChoices }),
    metrics: metricsOf(config.metric_list, outputType, reader),
    ...(processResults && { score: processResults }),
    ...(isGenerative && repeats > 1 && { repeats }),
    ...(isGenerative && { generation: generationOf(reader.mapping("generation_kwargs"), reader.text("fewshot_delimiter", "\n\n")) }),
    ...filterField(config.filter_list, path),
    ...(query !== undefined && { decontaminationQuery: asString(query) }),
  };
  for (const key of Object.keys(config)) if (!TASK_KEYS.has(key)) throw reader.error(key, `one of ${[...TASK_KEYS].join(", ")}`);
  const scored = testSplit ?? reader.text("validation_split", "");
  if (scored === "") throw reader.error("test_split", "a test or validation split");
  const training = reader.optionalText("training_split") ?? reader.optionalText("validation_split") ?? scored;
  return {
    task,
    source: { ...optional("path", reader.optionalText("dataset_path")), ...optional("name", reader.optionalText("dataset_name")), scored, fewshot: shotSplit ?? training, ...dataFiles(reader) },
    tags: [config.tag ?? []].flat().map(String),
    process,
  };
}

/** Keys that a task may have. */
export const TASK_KEYS: ReadonlySet<string> = new Set(["task", "task_alias", "tag", "group", "include", "dataset_path", "dataset_name", "dataset_kwargs", "validation_split", "test_split", "fewshot_split", "output_type", "doc_to_text", "doc_to_target", "doc_to_choice", "description", "target_delimiter", "fewshot_delimiter", "fewshot_config", "num_fewshot", "generation_kwargs", "filter_list", "metric_list", "repeats", "gen_prefix", "doc_to_decontamination_query", "metadata", "process_docs", "process_results", ...IGNORED, ...UNSUPPORTED]);

const optional = <K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> => (value === undefined ? {} : ({ [key]: value } as Record<K, string>));

/** `data_files` of `dataset_kwargs`: one file for each split, or one alone, which is the split `train`, as the datasets library has it. */
function dataFiles(reader: Reader): Pick<YamlSource, "files"> {
  const { data_files: given } = reader.mapping("dataset_kwargs");
  if (given === undefined || given === null) return {};
  const bySplit = typeof given === "object" && !Array.isArray(given) ? Object.entries(given) : [["train", given] as const];
  return {
    files: Object.fromEntries(
      bySplit.map(([split, file]) => {
        const [only, ...others] = [file].flat() as unknown[];
        if (typeof only !== "string" || others.length > 0) throw reader.error("dataset_kwargs", "data_files with one path for each split");
        return [split, only];
      }),
    ),
  };
}

/** A column or template that gives text. */
const asString = (source: string): ((doc: Doc) => string) => {
  let template: ((doc: Doc) => string) | undefined;
  return (doc) => (Object.hasOwn(doc, source) ? String(doc[source]) : (template ??= compileTemplate(source))(doc));
};

const isDigits = (text: string): boolean => /^\p{Nd}+$/u.test(text);

/** The question; digits are an index where there are choices. */
function asText(field: Field, hasChoices: boolean): (doc: Doc) => string | number {
  return (doc) => {
    const value = valueOf(field, doc);
    if (!("column" in field) || Object.hasOwn(doc, field.column)) return value as string | number;
    return hasChoices && isDigits(value as string) ? Number(value) : (value as string);
  };
}

/** The answer; digits are an index where there are choices, and what looks like a list is one. */
function asTarget(field: Field, hasChoices: boolean): KnowledgeTask["target"] {
  return (doc) => {
    const value = valueOf(field, doc);
    if (typeof value === "boolean") return Number(value);
    if (!("column" in field) || Object.hasOwn(doc, field.column)) return value as string | number;
    const text = value as string;
    if (hasChoices && isDigits(text)) return Number(text);
    if (text.length < 2 || !text.startsWith("[") || !text.endsWith("]")) return text;
    try {
      return literalEval(text) as string[];
    } catch {
      return text;
    }
  };
}

function valueOf(field: Field, doc: Doc): unknown {
  if ("constant" in field) return field.constant;
  if ("function" in field) return field.function(doc);
  return Object.hasOwn(doc, field.column) ? doc[field.column] : field.template(doc);
}

/**
 * The harness drops the document from its shots where the split of the shots is named like the test split. Elsewhere it
 * does not; where it would take the shots from another split and the caller has only one, the default is kept, so that no
 * document shows its own answer.
 */
function leavingOut(shotSplit: string | undefined, testSplit: string | undefined, reader: Reader): Pick<KnowledgeTask, "leavesOutDocument"> {
  if (shotSplit === testSplit) return { leavesOutDocument: true };
  const hasOther = shotSplit !== undefined || reader.optionalText("training_split") !== undefined || reader.optionalText("validation_split") !== undefined;
  return hasOther && testSplit !== undefined ? {} : { leavesOutDocument: false };
}

/** What shots have of their own. */
function shotFields(shots: Reader, hasChoices: boolean): Pick<KnowledgeTask, "shot"> {
  const text = shots.optionalText("doc_to_text");
  const target = shots.optionalText("doc_to_target");
  const delimiters = { ...optional("targetDelimiter", shots.optionalText("target_delimiter")), ...optional("fewshotDelimiter", shots.optionalText("fewshot_delimiter")) };
  const choices = text === undefined && target === undefined && Object.keys(delimiters).length === 0;
  if (choices) return {};
  return { shot: { ...delimiters, ...(text !== undefined && { text: asText(shots.field("doc_to_text"), hasChoices) }), ...(target !== undefined && { target: asTarget(shots.field("doc_to_target"), hasChoices) }) } };
}

function metricsOf(list: unknown, outputType: OutputType, reader: Reader): MetricSpec[] {
  if (list === undefined || list === null) return DEFAULT_METRICS[outputType].map((name) => ({ name }));
  if (!Array.isArray(list)) throw reader.error("metric_list", "a list");
  return list.map((entry: Record<string, unknown>): MetricSpec => {
    const name = METRICS.find((known) => known === entry?.metric);
    if (name === undefined) throw reader.error("metric_list", `metrics among ${METRICS.join(", ")}; ${entry?.metric instanceof FunctionReference ? `!function ${entry.metric.name}` : String(entry?.metric)} is none`);
    const aggregation = entry.aggregation instanceof FunctionReference && entry.aggregation.name === "aggregate.cb_multi_fi" ? "f1_three" : AGGREGATIONS.find((known) => known === entry.aggregation);
    if (entry.aggregation !== undefined && aggregation === undefined) throw reader.error("metric_list", `aggregations among ${AGGREGATIONS.join(", ")}; ${entry.aggregation instanceof FunctionReference ? `!function ${entry.aggregation.name}` : String(entry.aggregation)} is none`);
    return {
      name,
      ...(aggregation && { aggregation }),
      ...(typeof entry.higher_is_better === "boolean" && { higherIsBetter: entry.higher_is_better }),
      ...(Array.isArray(entry.regexes_to_ignore) && { regexesToIgnore: entry.regexes_to_ignore.map(String) }),
      ...(entry.ignore_case === true && { ignoreCase: true }),
      ...(entry.ignore_punctuation === true && { ignorePunctuation: true }),
      ...(entry.ignore_numbers === true && { ignoreNumbers: true }),
    };
  });
}

function generationOf(options: Readonly<Record<string, unknown>>, fewshotDelimiter: string): NonNullable<KnowledgeTask["generation"]> {
  const maxTokens = ["max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens"].map((key) => options[key]).find((value) => value !== undefined);
  const temperature = options.do_sample === false ? 0 : Number(options.temperature ?? 0);
  return { until: [options.until ?? fewshotDelimiter].flat().map(String), ...(typeof maxTokens === "number" && { maxTokens }), ...(temperature > 0 && { temperature }) };
}

function filterField(list: unknown, path: string): Pick<KnowledgeTask, "filters"> {
  const filters = filtersOf(list, path);
  return filters ? { filters } : {};
}
