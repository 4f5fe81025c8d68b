/** LAMBADA: the last word of a passage (Paperno et al. 2016, arXiv:1606.06031), OpenAI's version of the text. */

import { readJsonLines } from "../readers.ts";
import { type Doc, type Harness, type KnowledgeTask, textOf } from "../task.ts";

/** Rows of the publisher's file, one `text` each; context and continuation are joined by a space. */
export function readLambada(text: string): Doc[] {
  return readJsonLines(text).map((doc) => ("text" in doc ? doc : { text: `${textOf(doc, "context")} ${textOf(doc, "continuation")}` }));
}

export function lambada(harness: Harness = "v0.4"): KnowledgeTask {
  const split = (doc: Doc) => textOf(doc, "text").lastIndexOf(" ");
  return {
    name: "lambada_openai",
    version: harness === "v0.4" ? 1 : 0,
    harness,
    outputType: "loglikelihood",
    // In shots the answer brings its own space, and the present prompts add another.
    targetDelimiter: harness === "v0.4" ? " " : "",
    leavesOutDocument: harness === "v0.3",
    text: (doc) => textOf(doc, "text").slice(0, split(doc)),
    target: (doc) => textOf(doc, "text").slice(split(doc)),
    metrics: [{ name: "perplexity" }, { name: "acc" }],
    decontaminationQuery: (doc) => textOf(doc, "text"),
  };
}
