/** ReCoRD: which entity fills the gap (Zhang et al. 2018, arXiv:1810.12885). Licence unknown: a user's file. */

import { splitWords, strip } from "../../python/text.ts";
import { argmax } from "../metrics.ts";
import { type Doc, type KnowledgeTask, textOf, textsOf } from "../task.ts";

/** Distinct texts in the order of their code points. */
const distinct = (texts: readonly string[]): string[] => [...new Set(texts)].sort((a, b) => (a < b ? -1 : 1));

const filled = (doc: Doc, entity: string): string => `  - ${textOf(doc, "query")}`.replaceAll("@placeholder", entity);

/** Lower case, without punctuation and articles, single spaces: what SQuAD compares. */
const plain = (text: string): string[] =>
  splitWords(text.toLowerCase().replace(/[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g, "").replace(/\b(a|an|the)\b/g, " "));

/** Exact match and F1 over words, as SQuAD counts them. */
export function squadScores(prediction: string, gold: string): { em: number; f1: number } {
  const [predicted, expected] = [plain(prediction), plain(gold)];
  const em = Number(predicted.join(" ") === expected.join(" "));
  if (predicted.length === 0 || expected.length === 0) return { em, f1: Number(predicted.length === expected.length) };
  const left = [...expected];
  const common = predicted.filter((word) => {
    const at = left.indexOf(word);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  }).length;
  return { em, f1: (2 * common) / (predicted.length + expected.length) };
}

export const record: KnowledgeTask = {
  name: "record",
  version: 2,
  harness: "v0.4",
  outputType: "multiple_choice",
  scoredSplit: "validation",
  text(doc) {
    const [first, ...highlights] = strip(textOf(doc, "passage")).split("\n@highlight\n");
    return `${first}\n\n${highlights.map((highlight) => `  - ${highlight}.\n`).join("")}`;
  },
  choices: (doc) => distinct(textsOf(doc, "entities")).map((entity) => filled(doc, entity)),
  target: (doc) => filled(doc, distinct(textsOf(doc, "answers"))[0]),
  metrics: [{ name: "f1", aggregation: "mean" }, { name: "em" }],
  score(doc, { loglikelihoods }) {
    const picked = distinct(textsOf(doc, "entities"))[argmax(loglikelihoods.map(({ logprob }) => logprob))];
    const scores = textsOf(doc, "answers").map((answer) => squadScores(picked, answer));
    return { f1: Math.max(...scores.map(({ f1 }) => f1)), em: Math.max(...scores.map(({ em }) => em)) };
  },
  cluster: (doc) => textOf(doc, "passage"),
};
