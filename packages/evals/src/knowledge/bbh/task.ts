/**
 * BIG-Bench Hard, zero-shot (Suzgun et al. 2022, arXiv:2210.09261). The published shots with their chains of thought
 * come with the task files of the harness, which {@link readTaskYaml} reads.
 */

import { ConfigError, DataError } from "@espalier/core";
import { multiChoiceFilter } from "../choiceFilter.ts";
import { type Filter, mapFilter, numberFilter, regexFilter, wordSortFilter } from "../filters.ts";
import { type Doc, type KnowledgeTask, textOf } from "../task.ts";
import { bbhDescriptions, type BbhSubtask } from "./descriptions.ts";

/** Questions of a file of the publisher, `{examples: [{input, target}]}`. @throws {DataError} when it is something else */
export function readBbh(text: string): Doc[] {
  const { examples } = JSON.parse(text) as { examples?: Doc[] };
  if (!Array.isArray(examples)) throw new DataError("readBbh: no list `examples`, expected the publisher's JSON. Check the file.");
  return examples;
}

const choice = multiChoiceFilter("(\\([A-Z]\\))", { ignoreCase: true, ignorePunctuation: true });
const yesNo = regexFilter("\\b(Yes|No|yes|no)\\b");
const number = numberFilter("([-0-9]+)");

/** How an answer is found in free text; multiple choice unless named here. */
const extractions: Partial<Record<BbhSubtask, Filter["apply"]>> = {
  boolean_expressions: regexFilter("\\b(True|False)\\b"),
  causal_judgement: yesNo,
  dyck_languages: regexFilter('(?<= )([" \\[\\(<{}>\\)\\]]+)|([" \\[\\(<{}>\\)\\]]+)'),
  formal_fallacies: regexFilter("\\b(valid|invalid)\\b"),
  multistep_arithmetic_two: number,
  navigate: yesNo,
  object_counting: number,
  sports_understanding: mapFilter({ "\\b(no|not plausible)\\b": "no", "\\b(yes|plausible)\\b": "yes" }),
  web_of_lies: mapFilter({
    "\\b(no|does not tell the truth|is not telling the truth)\\b": "no",
    "\\b(yes|tells the truth|is telling the truth)\\b": "yes",
  }),
  word_sorting: wordSortFilter,
};

/** One of the 27 subtasks. @throws {ConfigError} for another name */
export function bbh(subtask: string): KnowledgeTask {
  if (!Object.hasOwn(bbhDescriptions, subtask)) {
    throw new ConfigError(`bbh: subtask ${subtask}, expected one of ${Object.keys(bbhDescriptions).join(", ")}. Choose one of them.`);
  }
  const name = subtask as BbhSubtask;
  return {
    name: `bbh_zeroshot_${name}`,
    version: 3,
    harness: "v0.4",
    outputType: "generate_until",
    numFewshot: 0,
    description: `${bbhDescriptions[name]}\n\n`,
    text: (doc) => `Q: ${textOf(doc, "input")}\nA:`,
    target: (doc) => textOf(doc, "target"),
    generation: { until: ["</s>", "Q:", "<|im_end|>"] },
    metrics: [{ name: "exact_match", ignoreCase: true, regexesToIgnore: ["\\.$", ",", "\n", "\\\\", '"'] }],
    filters: [
      { name: "strict-match", apply: (text) => text },
      { name: "flexible-extract", apply: extractions[name] ?? choice },
    ],
  };
}
