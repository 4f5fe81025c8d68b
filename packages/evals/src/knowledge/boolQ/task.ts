/** BoolQ: yes or no from a passage (Clark et al. 2019, arXiv:1905.10044), in SuperGLUE's form. */

import { readJsonLines } from "../readers.ts";
import { type Doc, type Harness, type KnowledgeTask, numberOf, textOf } from "../task.ts";

/** Rows of the publisher's file; SuperGLUE's passage is title, dashes and text. Rows that have a `label` stay as they are. */
export function readBoolQDocs(text: string): Doc[] {
  return readJsonLines(text).map((doc) =>
    "label" in doc ? doc : { question: doc.question, passage: `${textOf(doc, "title")} -- ${textOf(doc, "passage")}`, label: Number(doc.answer === true) },
  );
}

/** v0.3 asks yes before no. */
export function boolQ(harness: Harness = "v0.4"): KnowledgeTask {
  const choices = harness === "v0.4" ? ["no", "yes"] : ["yes", "no"];
  return {
    name: "boolq",
    version: harness === "v0.4" ? 2 : 1,
    harness,
    outputType: "multiple_choice",
    scoredSplit: "validation",
    text: (doc) => `${textOf(doc, "passage")}\nQuestion: ${textOf(doc, "question")}?\nAnswer:`,
    choices: () => choices,
    target: (doc) => choices.indexOf(numberOf(doc, "label") === 1 ? "yes" : "no"),
    metrics: [{ name: "acc" }],
    cluster: (doc) => textOf(doc, "passage"),
    decontaminationQuery: (doc) => textOf(doc, "passage"),
    chance: 1 / 2,
  };
}
