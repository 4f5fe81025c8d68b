/** What a knowledge test is: how a document becomes requests, and which scores its answers get. */

import { DataError } from "@espalier/core";
import type { Filter } from "./filters.ts";
import type { MetricSpec, ResponseScores } from "./metrics.ts";

/** One row of a data set, as it stands in the file. */
export type Doc = Readonly<Record<string, unknown>>;

export type OutputType = "multiple_choice" | "loglikelihood" | "loglikelihood_rolling" | "generate_until";

/**
 * Whose prompts: `v0.4` are lm-evaluation-harness's present ones; `v0.3` those of the paper's time, which shuffle the
 * documents by Random(42) and draw shots from the same generator.
 */
export type Harness = "v0.4" | "v0.3";

export interface KnowledgeTask {
  /** Name in lm-evaluation-harness. */
  readonly name: string;
  /** What tables call it. Default: the name. */
  readonly alias?: string;
  readonly version: number;
  readonly harness: Harness;
  readonly outputType: OutputType;
  /** Stands before the first shot; ends in blank lines itself. */
  readonly description?: string | ((doc: Doc) => string);
  /** Between question and answer. Default one space. */
  readonly targetDelimiter?: string;
  /** Behind each shot. Default an empty line. */
  readonly fewshotDelimiter?: string;
  /** Shots when the caller asks for none in particular. Default 0. */
  readonly numFewshot?: number;
  /** `first_n` takes the first shots in order; `default` draws them. */
  readonly sampler?: "default" | "first_n";
  /** Split that published numbers use. Default `test`. */
  readonly scoredSplit?: "test" | "validation";
  /**
   * Whether one shot more than needed is drawn, so that one equal to the document can be dropped. Default as in
   * lm-evaluation-harness, which does it where the split of the shots is named like the test split, two missing names
   * included: for every task that is scored on its validation split.
   */
  readonly leavesOutDocument?: boolean;
  /** Shots that belong to the task itself. */
  readonly fewshotDocs?: readonly Doc[];
  /** What shots do in another way than the question. */
  readonly shot?: Partial<Pick<KnowledgeTask, "text" | "target" | "targetDelimiter" | "fewshotDelimiter">>;
  /** Text that the answer begins with; stands behind the question and before each shot's answer. */
  readonly generationPrefix?: (doc: Doc) => string;
  /** The question. A number (multiple input): the index of the right one among `choices`, which then are contexts. */
  readonly text: (doc: Doc) => string | number;
  /** Index of the right choice, several of them, or the answer's text. */
  readonly target: (doc: Doc) => number | string | readonly number[] | readonly string[];
  readonly choices?: (doc: Doc) => readonly string[];
  readonly metrics: readonly MetricSpec[];
  /** Scores of one document, instead of those its output type has. */
  readonly score?: (doc: Doc, answers: ResponseScores) => Readonly<Record<string, number | readonly number[]>>;
  /** Scores of a document whose answer was lost, of metrics whose scores are pairs; others count as wrong by themselves. */
  readonly lost?: (doc: Doc) => Readonly<Record<string, readonly number[]>>;
  /** Temperature 0, the default, is greedy. */
  readonly generation?: { until: readonly string[]; maxTokens?: number; temperature?: number };
  /** Answers drawn per document of a generation task, by seeds 0, 1, ...; filters choose from them. Default 1. */
  readonly repeats?: number;
  /** Pipelines over generated text; each gives the metrics once more under its name. Default: the text as it is. */
  readonly filters?: readonly Filter[];
  /** Passage, story or template that documents share, for clustered standard errors. */
  readonly cluster?: (doc: Doc) => string;
  /** Text that overlap with training data is looked for in. Default: the question. */
  readonly decontaminationQuery?: (doc: Doc) => string;
  /** Accuracy of guessing, where it is the same for all documents. */
  readonly chance?: number;
}

/** A task with its documents. */
export interface KnowledgeSet {
  task: KnowledgeTask;
  docs: readonly Doc[];
  /** Where shots come from. Without: from `docs`, the evaluated one left out. */
  fewshotDocs?: readonly Doc[];
  /** The files that the documents were read from, so that a result names what was measured. */
  files?: readonly ReadFile[];
}

/** A data file that was read. */
export interface ReadFile {
  /** Below the data directory. */
  path: string;
  /** Of its bytes. */
  sha256: string;
  /** Who states this digest: the manifest of the directory, this project, or nobody. */
  statedBy: "manifest" | "espalier" | "nothing";
}

/** Text of a column. @throws {DataError} when it is missing or not text */
export function textOf(doc: Doc, column: string): string {
  const value = doc[column];
  if (typeof value !== "string") throw columnError(doc, column, "text");
  return value;
}

/** Number of a column; digits written as text count too. @throws {DataError} when it is not one */
export function numberOf(doc: Doc, column: string): number {
  const value = typeof doc[column] === "string" && /^\d+$/.test(doc[column]) ? Number(doc[column]) : doc[column];
  if (typeof value !== "number") throw columnError(doc, column, "a number");
  return value;
}

/** List of texts of a column. @throws {DataError} when it is not one */
export function textsOf(doc: Doc, column: string): string[] {
  const value = doc[column];
  if (!Array.isArray(value) || value.some((part) => typeof part !== "string")) throw columnError(doc, column, "a list of texts");
  return value as string[];
}

const columnError = (doc: Doc, column: string, expected: string): DataError =>
  new DataError(
    `document: column ${column} is ${JSON.stringify(doc[column])?.slice(0, 60)}, expected ${expected}; columns are ${Object.keys(doc).join(", ")}. Check that the file is the one its manifest names.`,
  );
