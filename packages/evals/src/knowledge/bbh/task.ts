/**
 * BIG-Bench Hard, zero-shot (Suzgun et al. 2022, arXiv:2210.09261). The published shots with their chains of thought
 * come with the task files of the harness, which {@link readTaskYaml} reads.
 */

import { ConfigError, DataError } from "@espalier/core";
import { multiChoiceFilter } from "../choiceFilter.ts";
import { type Filter, mapFilter, regexFilter, wordSortFilter } from "../filters.ts";
import { numberFilter } from "../numberWords.ts";
import { type Doc, type KnowledgeTask, textOf } from "../task.ts";
import { bbhDescriptions, type BbhSubtask } from "./descriptions.ts";

/** Questions of a file of the publisher, `{examples: [{input, target}]}`. @throws {DataError} when it is something else */
export function readBbh(text: string): Doc[] {
  const { examples } = JSON.parse(text) as { examples?: Doc[] };
  if (!Array.isArray(examples)) throw new DataError("readBbh: no list `examples`, expected the publisher's JSON. Check the file.");
  return examples;
}

/** How an answer is found in free text: which of several matches counts is the form's business. */
type Extraction = (options: { groupSelect: number }) => Filter["apply"];

const choice: Extraction = (options) => multiChoiceFilter("(\\([A-Z]\\))", { ignoreCase: true, ignorePunctuation: true, ...options });
const yesNo: Extraction = (options) => regexFilter("\\b(Yes|No|yes|no)\\b", options);
const number: Extraction = (options) => numberFilter("([-0-9]+)", options);

/** Multiple choice unless named here. */
const extractions: Partial<Record<BbhSubtask, Extraction>> = {
  boolean_expressions: (options) => regexFilter("\\b(True|False)\\b", options),
  causal_judgement: yesNo,
  dyck_languages: (options) => regexFilter('(?<= )([" \\[\\(<{}>\\)\\]]+)|([" \\[\\(<{}>\\)\\]]+)', options),
  formal_fallacies: (options) => regexFilter("\\b(valid|invalid)\\b", options),
  multistep_arithmetic_two: number,
  navigate: yesNo,
  object_counting: number,
  sports_understanding: (options) => mapFilter({ "\\b(no|not plausible)\\b": "no", "\\b(yes|plausible)\\b": "yes" }, options),
  web_of_lies: (options) =>
    mapFilter(
      {
        "\\b(no|does not tell the truth|is not telling the truth)\\b": "no",
        "\\b(yes|tells the truth|is telling the truth)\\b": "yes",
      },
      options,
    ),
  word_sorting: () => wordSortFilter,
};

/** `zeroshot` asks for the answer, of which the first match counts; `cot_zeroshot` for steps before it, so that the last does. */
export type BbhForm = "zeroshot" | "cot_zeroshot";

const STATED_ANSWER = "((?<=The answer is )(.*)(?=.)|(?<=the answer is )(.*)(?=.)|(?<=The answer: )(.*)(?=.)|(?<=The final answer: )(.*)(?=.))";

/** One of the 27 subtasks, in one of two forms. @throws {ConfigError} for another name */
export function bbh(subtask: string, form: BbhForm = "zeroshot"): KnowledgeTask {
  if (!Object.hasOwn(bbhDescriptions, subtask)) {
    throw new ConfigError(`bbh: subtask ${subtask}, expected one of ${Object.keys(bbhDescriptions).join(", ")}. Choose one of them.`);
  }
  const name = subtask as BbhSubtask;
  const inSteps = form === "cot_zeroshot";
  const flexible: Filter = { name: "flexible-extract", apply: (extractions[name] ?? choice)({ groupSelect: inSteps ? -1 : 0 }) };
  return {
    name: `bbh_${form}_${name}`,
    version: 3,
    harness: "v0.4",
    outputType: "generate_until",
    numFewshot: 0,
    description: `${bbhDescriptions[name]}\n\n`,
    text: (doc) => `Q: ${textOf(doc, "input")}\nA:${inSteps ? " Let's think step by step." : ""}`,
    target: (doc) => textOf(doc, "target"),
    generation: { until: ["</s>", "Q:", "<|im_end|>"] },
    metrics: [{ name: "exact_match", ignoreCase: true, regexesToIgnore: ["\\.$", ",", "\n", "\\\\", '"'] }],
    filters: inSteps ? [flexible, { name: "strict-match", apply: regexFilter(STATED_ANSWER) }] : [{ name: "strict-match", apply: (text) => text }, flexible],
  };
}
