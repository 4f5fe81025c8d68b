/**
 * CB, RTE, WiC and WSC of SuperGLUE (Wang et al. 2019, arXiv:1905.00537). Their licences are unknown or
 * non-commercial, so nothing ships: documents are a user's files under the columns of the publisher. BoolQ and COPA
 * have folders of their own, MultiRC and ReCoRD files beside this one.
 */

import { pythonSlice, codePoints, splitWords } from "../../python/text.ts";
import { type Doc, type Harness, type KnowledgeTask, numberOf, textOf } from "../task.ts";

const base = (harness: Harness) => ({ harness, outputType: "multiple_choice", scoredSplit: "validation", metrics: [{ name: "acc" }] }) as const;

export const cb = (harness: Harness = "v0.4"): KnowledgeTask => ({
  ...base(harness),
  name: "cb",
  version: 1,
  text: (doc) => `${textOf(doc, "premise")}\nQuestion: ${textOf(doc, "hypothesis")}. True, False, or Neither?\nAnswer:`,
  choices: () => ["True", "False", "Neither"],
  target: (doc) => numberOf(doc, "label"),
  metrics: [{ name: "acc" }, { name: "f1", aggregation: "f1_three" }],
  chance: 1 / 3,
});

export const rte = (harness: Harness = "v0.4"): KnowledgeTask => ({
  ...base(harness),
  name: harness === "v0.4" ? "sglue_rte" : "rte",
  version: 0,
  text: (doc) => `${textOf(doc, "premise")}\nQuestion: ${textOf(doc, "hypothesis")} True or False?\nAnswer:`,
  choices: () => ["True", "False"],
  target: (doc) => numberOf(doc, "label"),
  chance: 1 / 2,
});

/** v0.3 asks yes before no. */
const noYes = (harness: Harness) => {
  const choices = harness === "v0.4" ? ["no", "yes"] : ["yes", "no"];
  return { choices: () => choices, target: (doc: Doc) => choices.indexOf(numberOf(doc, "label") === 1 ? "yes" : "no"), chance: 1 / 2 };
};

export const wic = (harness: Harness = "v0.4"): KnowledgeTask => ({
  ...base(harness),
  ...noYes(harness),
  name: "wic",
  version: harness === "v0.4" ? 1 : 0,
  text(doc) {
    const word = pythonSlice(textOf(doc, "sentence1"), numberOf(doc, "start1"), numberOf(doc, "end1"));
    return `Sentence 1: ${textOf(doc, "sentence1")}\nSentence 2: ${textOf(doc, "sentence2")}\nQuestion: Is the word '${word}' used in the same way in the two sentences above?\nAnswer:`;
  },
});

/** Joins what a tokenizer of words had parted. */
export function detokenize(text: string): string {
  return text
    .replaceAll(" n't", "n't")
    .replaceAll(" )", ")")
    .replaceAll("( ", "(")
    .replaceAll('" ', '"')
    .replaceAll(' "', '"')
    .replace(/ (['.,])/g, "$1");
}

export const wsc = (harness: Harness = "v0.4"): KnowledgeTask => ({
  ...base(harness),
  ...noYes(harness),
  name: "wsc",
  version: harness === "v0.4" ? 1 : 0,
  text(doc) {
    const [text, pronoun, noun] = [textOf(doc, "text"), textOf(doc, "span2_text"), textOf(doc, "span1_text")];
    const before = splitWords(text).slice(0, numberOf(doc, "span2_index")).join(" "); // positions count words
    const after = pythonSlice(text, codePoints(before) + codePoints(pronoun) + 1);
    return `Passage: ${detokenize(`${before} *${pronoun}*${after}`)}\nQuestion: In the passage above, does the pronoun "*${pronoun}*" refer to "*${noun}*"?\nAnswer:`;
  },
});
