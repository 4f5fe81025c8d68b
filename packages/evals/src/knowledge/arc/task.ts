/** ARC: grade-school science questions (Clark et al. 2018, arXiv:1803.05457). The leaderboard's form: 25 shots, acc_norm. */

import { DataError } from "@espalier/core";
import { type Doc, type Harness, type KnowledgeTask, textOf, textsOf } from "../task.ts";

export function arc(set: "challenge" | "easy", harness: Harness = "v0.4"): KnowledgeTask {
  const text = (doc: Doc) => `Question: ${textOf(doc, "question")}\nAnswer:`;
  return {
    name: `arc_${set}`,
    version: harness === "v0.4" ? 1 : 0,
    harness,
    outputType: "multiple_choice",
    text,
    choices: (doc) => textsOf(choicesOf(doc), "text"),
    target: goldOf,
    metrics: [{ name: "acc" }, { name: "acc_norm" }],
  };
}

const choicesOf = (doc: Doc): Doc => (typeof doc.choices === "object" && doc.choices !== null ? (doc.choices as Doc) : {});

/** Labels are A to E, or 1 to 4. */
function goldOf(doc: Doc): number {
  const labels = textsOf(choicesOf(doc), "label");
  const gold = labels.indexOf(textOf(doc, "answerKey"));
  if (gold < 0) throw new DataError(`arc: answerKey ${doc.answerKey} is none of ${labels.join(", ")}. Check the file.`);
  return gold;
}
