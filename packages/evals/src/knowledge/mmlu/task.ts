/** MMLU: 57 subjects of school and profession (Hendrycks et al. 2021, arXiv:2009.03300). The leaderboard's form: 5 shots, acc. */

import { strip } from "../../python/text.ts";
import type { KnowledgeGroup } from "../summary.ts";
import { type Doc, type Harness, type KnowledgeSet, type KnowledgeTask, numberOf, textOf, textsOf } from "../task.ts";
import { mmluSubjects } from "./subjects.ts";

const LETTERS = ["A", "B", "C", "D"];
const lettered = (doc: Doc): string => textsOf(doc, "choices").map((choice, i) => `${LETTERS[i]}. ${choice}\n`).join("");

/** One subject. Present prompts score the letter; those of v0.3 the words of the choice. */
export function mmlu(subject: string, harness: Harness = "v0.4"): KnowledgeTask {
  const common = { harness, outputType: "multiple_choice", target: (doc: Doc) => numberOf(doc, "answer"), chance: 1 / 4 } as const;
  if (harness === "v0.3") {
    return {
      ...common,
      name: `hendrycksTest-${subject}`,
      version: 0,
      text: (doc) => `Question: ${textOf(doc, "question")}\nChoices:\n${lettered(doc)}Answer:`,
      choices: (doc) => textsOf(doc, "choices"),
      metrics: [{ name: "acc" }, { name: "acc_norm" }],
    };
  }
  return {
    ...common,
    name: `mmlu_${subject}`,
    version: 1,
    sampler: "first_n",
    description: `The following are multiple choice questions (with answers) about ${subject.replaceAll("_", " ")}.\n\n`,
    text: (doc) => `${strip(textOf(doc, "question"))}\n${lettered(doc)}Answer:`,
    choices: () => LETTERS,
    metrics: [{ name: "acc" }],
  };
}

/** A set per subject that the documents have, by their column `subject`; the dev split is where shots come from. */
export function mmluSets(test: readonly Doc[], dev: readonly Doc[], harness: Harness = "v0.4"): KnowledgeSet[] {
  const of = (docs: readonly Doc[], subject: string) => docs.filter((doc) => doc.subject === subject);
  return [...new Set(test.map((doc) => textOf(doc, "subject")))].map((subject) => ({ task: mmlu(subject, harness), docs: of(test, subject), fewshotDocs: of(dev, subject) }));
}

/** The four groups and their sum, weighted by size. */
export const mmluGroups: readonly KnowledgeGroup[] = [
  { name: "mmlu", tasks: Object.values(mmluSubjects).flat().map((subject) => `mmlu_${subject}`) },
  ...Object.entries(mmluSubjects).map(([group, subjects]) => ({ name: `mmlu_${group}`, tasks: subjects.map((subject) => `mmlu_${subject}`) })),
];
