/**
 * PIQA (Bisk et al. 2020, arXiv:1911.11641), OpenBookQA (Mihaylov et al. 2018, arXiv:1809.02789) and SciQ (Welbl et al.
 * 2017, arXiv:1707.06209): a user's files, since their licences are unknown or non-commercial.
 */

import { lstrip, strip } from "../../python/text.ts";
import { type Doc, type Harness, type KnowledgeTask, numberOf, textOf, textsOf } from "../task.ts";

const both = [{ name: "acc" }, { name: "acc_norm" }] as const;
const version = (harness: Harness): number => (harness === "v0.4" ? 1 : 0);

export const piqa = (harness: Harness = "v0.4"): KnowledgeTask => ({
  name: "piqa",
  version: version(harness),
  harness,
  outputType: "multiple_choice",
  scoredSplit: "validation",
  text: (doc) => `Question: ${textOf(doc, "goal")}\nAnswer:`,
  choices: (doc) => [textOf(doc, "sol1"), textOf(doc, "sol2")],
  target: (doc) => numberOf(doc, "label"),
  metrics: both,
  decontaminationQuery: (doc) => textOf(doc, "goal"),
  chance: 1 / 2,
});

export const openBookQa = (harness: Harness = "v0.4"): KnowledgeTask => ({
  name: "openbookqa",
  version: version(harness),
  harness,
  outputType: "multiple_choice",
  text: (doc) => textOf(doc, "question_stem"),
  choices: (doc) => textsOf(doc.choices as Doc, "text"),
  target: (doc) => textsOf(doc.choices as Doc, "label").indexOf(lstrip(textOf(doc, "answerKey"))),
  metrics: both,
  chance: 1 / 4,
});

export const sciq = (harness: Harness = "v0.4"): KnowledgeTask => ({
  name: "sciq",
  version: version(harness),
  harness,
  outputType: "multiple_choice",
  text(doc) {
    const tail = `\nQuestion: ${textOf(doc, "question")}\nAnswer:`;
    // v0.3 strips the whole: without support the line break goes too
    return harness === "v0.4" ? lstrip(textOf(doc, "support")) + tail : strip(textOf(doc, "support") + tail);
  },
  choices: (doc) => ["distractor1", "distractor2", "distractor3", "correct_answer"].map((column) => textOf(doc, column)),
  target: () => 3,
  metrics: both,
  decontaminationQuery: (doc) => `${textOf(doc, "support")} ${textOf(doc, "question")}`,
  chance: 1 / 4,
});
