/** MultiRC: which of several answers are right (Khashabi et al. 2018). Licence unknown: a user's file, one answer a row. */

import { argmax } from "../metrics.ts";
import { type Doc, type KnowledgeTask, numberOf, textOf } from "../task.ts";

const MODULUS = 2 ** 43 - 57; // prime; 521 times less than it, plus a code unit, is exact in a double

/** A number that stands for a question on its paragraph; equal ones by chance are rarer than 1 in 10^7 in the set's 953. */
function questionNumber(doc: Doc): number {
  const text = `${textOf(doc, "paragraph")}\0${textOf(doc, "question")}`;
  let number = 0;
  for (let i = 0; i < text.length; i++) number = (number * 521 + text.charCodeAt(i)) % MODULUS;
  return number;
}

/**
 * The first choice says yes, and label 1, a right answer, points at the second: `acc` is inverted, as in the harness. SuperGLUE's
 * own two scores take yes as yes: `f1a` is F1 of "this answer is right" over all answers, `em` the share of questions whose
 * answers are all judged rightly.
 */
export const multirc: KnowledgeTask = {
  name: "multirc",
  version: 2,
  harness: "v0.4",
  outputType: "multiple_choice",
  scoredSplit: "validation",
  text: (doc) => `${textOf(doc, "paragraph")}\nQuestion: ${textOf(doc, "question")}\nAnswer:`,
  choices: (doc) => ["yes", "no"].map((word) => `${textOf(doc, "answer")}\nIs the answer correct? ${word}`),
  target: (doc) => numberOf(doc, "label"),
  metrics: [{ name: "acc" }, { name: "f1a", aggregation: "f1" }, { name: "em", aggregation: "all_right" }],
  score(doc, { loglikelihoods }) {
    const [label, pick] = [numberOf(doc, "label"), argmax(loglikelihoods.map(({ logprob }) => logprob))];
    const judged = 1 - pick;
    return { acc: Number(pick === label), f1a: [label, judged], em: [questionNumber(doc), Number(judged === label)] };
  },
  lost: (doc) => ({ f1a: [numberOf(doc, "label"), 1 - numberOf(doc, "label")], em: [questionNumber(doc), 0] }),
  cluster: (doc) => textOf(doc, "paragraph"),
  chance: 1 / 2,
};
