/** Documents to requests: what the model is asked, in document order, then choice order. */

import type { LoglikelihoodRequest } from "@espalier/spec/languageModel";
import { type Asked, askedDocuments, type FewshotOptions } from "./fewshot.ts";
import { contextOf, fewshotDelimiterOf, promptOf, targetDelimiterOf } from "./prompt.ts";
import type { GenerationSettings } from "./sample.ts";
import type { KnowledgeSet, KnowledgeTask } from "./task.ts";

export interface DocumentRequests extends Asked {
  /** Log-likelihood requests, in choice order; empty for generation and rolling tasks. */
  readonly requests: readonly LoglikelihoodRequest[];
  /** The choices without context, where a metric asks for mutual information. */
  readonly unconditional: readonly LoglikelihoodRequest[];
  /** Text to go on from. */
  readonly prompt?: string;
  /** Whole text to be scored. */
  readonly rolling?: string;
}

/** Everything a set asks a model. */
export function requestsOf(set: KnowledgeSet, options: FewshotOptions = {}, limit?: number): DocumentRequests[] {
  return askedDocuments(set, options, limit).map((asked) => ({ ...asked, ...ask(set.task, asked) }));
}

function ask(task: KnowledgeTask, { doc, shots }: Asked): Omit<DocumentRequests, keyof Asked> {
  const none = { requests: [], unconditional: [] };
  switch (task.outputType) {
    case "generate_until":
      return { ...none, prompt: promptOf(task, doc, shots) };
    case "loglikelihood_rolling":
      return { ...none, rolling: String(task.target(doc)) };
    case "loglikelihood": // no delimiter: the answer brings its own space
      return { ...none, requests: [{ context: promptOf(task, doc, shots), continuation: String(task.target(doc)) }] };
    case "multiple_choice": {
      const delimiter = targetDelimiterOf(task);
      const choices = task.choices!(doc);
      const requests =
        typeof task.text(doc) === "number"
          ? multipleInput(task, { doc, shots }, choices)
          : choices.map((choice) => ({ context: promptOf(task, doc, shots), continuation: delimiter + choice }));
      const wanted = task.metrics.some(({ name }) => name === "acc_mutual_info");
      return { requests, unconditional: wanted ? requests.map(({ continuation }) => ({ context: "", continuation })) : [] };
    }
  }
}

/** One context per option, one continuation for all: WinoGrande's form. */
function multipleInput(task: KnowledgeTask, { doc, shots }: Pick<Asked, "doc" | "shots">, contexts: readonly string[]): LoglikelihoodRequest[] {
  const before = contextOf(task, doc, shots);
  const continuation = targetDelimiterOf(task) + String(task.target(doc));
  return contexts.map((context) => ({ context: before + context, continuation }));
}

/** Stop strings of a generation task. */
export const stopsOf = (task: KnowledgeTask): readonly string[] => task.generation?.until ?? [fewshotDelimiterOf(task)];

/** Tokens a generation may have. */
export const maxTokensOf = (task: KnowledgeTask): number => task.generation?.maxTokens ?? 256;

/** How a generation task has its answers drawn. */
export const generationOf = (task: KnowledgeTask): GenerationSettings => ({ until: stopsOf(task), maxTokens: maxTokensOf(task), temperature: task.generation?.temperature ?? 0 });
