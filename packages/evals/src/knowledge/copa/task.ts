/** COPA: cause or effect (Roemmele et al. 2011), in SuperGLUE's form; Balanced COPA (Kavumba et al. 2019) reads the same. */

import { codePoints, strip, pythonSlice } from "../../python/text.ts";
import { readJsonLines } from "../readers.ts";
import { type Doc, type Harness, type KnowledgeTask, numberOf, textOf } from "../task.ts";

/** Rows of Balanced COPA under SuperGLUE's column names. Rows that have a `label` stay as they are. */
export function readCopa(text: string): Doc[] {
  return readJsonLines(text).map((doc) =>
    "label" in doc ? doc : { premise: doc.premise, choice1: doc.a1, choice2: doc.a2, question: doc.asks_for, label: doc.gold, idx: doc.id },
  );
}

/** The first letter in lower case. */
export const lowerFirst = (text: string): string => pythonSlice(text, 0, 1).toLowerCase() + pythonSlice(text, 1);

/** Premise without its full stop, and the connector of the question. */
export function unfinished(doc: Doc, connectors: Readonly<Record<string, string>>): string {
  const premise = strip(textOf(doc, "premise"));
  return `${pythonSlice(premise, 0, codePoints(premise) - 1)} ${connectors[textOf(doc, "question")]}`;
}

/** The present prompts put two spaces before a choice: it brings one, and the delimiter adds another. */
export function copa(harness: Harness = "v0.4"): KnowledgeTask {
  const space = harness === "v0.4" ? " " : "";
  return {
    name: "copa",
    version: harness === "v0.4" ? 1 : 0,
    harness,
    outputType: "multiple_choice",
    scoredSplit: "validation",
    text: (doc) => unfinished(doc, { cause: "because", effect: "therefore" }),
    choices: (doc) => [textOf(doc, "choice1"), textOf(doc, "choice2")].map((choice) => space + lowerFirst(choice)),
    target: (doc) => numberOf(doc, "label"),
    metrics: [{ name: "acc" }],
    chance: 1 / 2,
  };
}
