/** HellaSwag: which ending follows (Zellers et al. 2019, arXiv:1905.07830). The leaderboard's form: 10 shots, acc_norm. */

import { pythonRegex } from "../../python/regex.ts";
import { capitalize, strip } from "../../python/text.ts";
import { type Harness, type KnowledgeTask, numberOf, textOf, textsOf } from "../task.ts";

const BRACKETS = pythonRegex("\\[.*?\\]"); // what is left of WikiHow's markup

/** Takes WikiHow's markup out. Two spaces become one in a single pass, so three become two. */
export function plainText(text: string): string {
  return strip(text).replaceAll(" [title]", ". ").replace(BRACKETS, "").replaceAll("  ", " ");
}

export function hellaswag(harness: Harness = "v0.4"): KnowledgeTask {
  return {
    name: "hellaswag",
    version: harness === "v0.4" ? 1 : 0,
    harness,
    outputType: "multiple_choice",
    scoredSplit: "validation",
    text: (doc) => plainText(`${textOf(doc, "activity_label")}: ${textOf(doc, "ctx_a")} ${capitalize(textOf(doc, "ctx_b"))}`),
    choices: (doc) => textsOf(doc, "endings").map(plainText),
    target: (doc) => numberOf(doc, "label"),
    metrics: [{ name: "acc" }, { name: "acc_norm" }],
    cluster: (doc) => textOf(doc, "source_id"),
    chance: 1 / 4,
  };
}
