/** bAbI as lm-evaluation-harness asks it (Weston et al. 2015, arXiv:1502.05698). */

import { strip } from "../../python/text.ts";
import { readBabi } from "../../tasks/babi.ts";
import { type Doc, type KnowledgeTask, textOf } from "../task.ts";

/** Questions of a published bAbI file. */
export function readBabiDocs(text: string): Doc[] {
  return readBabi(text).map(({ statements, question, answer }) => ({ passage: statements.map((statement) => `${statement}\n`).join(""), question, answer }));
}

/**
 * The answer keeps its leading space, so a decoder that drops the first space scores 0 under `none`; `stripped`
 * compares without white space at the ends.
 */
export const babi: KnowledgeTask = {
  name: "babi",
  version: 1,
  harness: "v0.4",
  outputType: "generate_until",
  targetDelimiter: "",
  text: (doc) => `Passage: ${textOf(doc, "passage")}Question: ${textOf(doc, "question")}\nAnswer:`,
  target: (doc) => ` ${textOf(doc, "answer")}`,
  generation: { until: ["\n", "Passage:"] },
  metrics: [{ name: "exact_match" }],
  filters: [
    { name: "none", apply: (text) => text },
    { name: "stripped", apply: (text) => ` ${strip(text)}` },
  ],
};
