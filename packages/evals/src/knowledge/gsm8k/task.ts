/** GSM8K: word problems of grade school (Cobbe et al. 2021, arXiv:2110.14168). Scored by the last number of the answer. */

import { regexFilter } from "../filters.ts";
import { type Harness, type KnowledgeTask, textOf } from "../task.ts";

const STRICT = "#### (\\-?[0-9\\.\\,]+)";
const strictNumber = regexFilter(STRICT);
const withoutCommas = (text: string): string => strictNumber(text).replaceAll(",", "");

export function gsm8k(harness: Harness = "v0.4"): KnowledgeTask {
  const common = { name: "gsm8k", harness, outputType: "generate_until", text: (doc: Parameters<KnowledgeTask["text"]>[0]) => `Question: ${textOf(doc, "question")}\nAnswer:` } as const;
  if (harness === "v0.3") {
    return {
      ...common,
      version: 0,
      target: (doc) => textOf(doc, "answer"),
      generation: { until: ["\n"] },
      metrics: [{ name: "acc" }],
      score: (doc, { generated = "" }) => ({ acc: Number(withoutCommas(generated) === withoutCommas(textOf(doc, "answer"))) }),
    };
  }
  return {
    ...common,
    version: 3,
    numFewshot: 5,
    target: (doc) => textOf(doc, "answer"),
    generation: { until: ["Question:", "</s>", "<|im_end|>"] },
    metrics: [{ name: "exact_match", ignoreCase: true, regexesToIgnore: [",", "\\$", "(?s).*#### ", "\\.$"] }],
    filters: [
      { name: "strict-match", apply: strictNumber },
      { name: "flexible-extract", apply: regexFilter("(-?[$0-9.,]{2,})|(-?[0-9]+)", { groupSelect: -1 }) },
    ],
  };
}
