/** XCOPA: COPA in eleven languages (Ponti et al. 2020, arXiv:2005.00333), CC BY 4.0. */

import { ConfigError } from "@espalier/core";
import { lowerFirst, unfinished } from "../copa/task.ts";
import { type KnowledgeTask, numberOf, textOf } from "../task.ts";

/** The eleven languages by ISO 639-1 code, with their English names. */
export const xcopaLanguages: Readonly<Record<string, string>> = {
  et: "Estonian",
  ht: "Haitian Creole",
  id: "Indonesian",
  it: "Italian",
  qu: "Eastern Apurimac Quechua",
  sw: "Swahili",
  ta: "Tamil",
  th: "Thai",
  tr: "Turkish",
  vi: "Vietnamese",
  zh: "Chinese",
};

const connectors: Readonly<Record<string, { cause: string; effect: string }>> = {
  et: { cause: "sest", effect: "seetõttu" },
  ht: { cause: "poukisa", effect: "donk sa" },
  it: { cause: "perché", effect: "quindi" },
  id: { cause: "karena", effect: "maka" },
  qu: { cause: "imataq", effect: "chaymi" },
  sw: { cause: "kwa sababu", effect: "kwa hiyo" },
  zh: { cause: "因为", effect: "所以" },
  ta: { cause: "காரணமாக", effect: "எனவே" },
  th: { cause: "เพราะ", effect: "ดังนั้น" },
  tr: { cause: "çünkü", effect: "bu yüzden" },
  vi: { cause: "bởi vì", effect: "vì vậy" },
};

/** @throws {ConfigError} for a language that XCOPA lacks */
export function xcopa(language: string): KnowledgeTask {
  const words = connectors[language];
  if (words === undefined) throw new ConfigError(`xcopa: language ${language}, expected one of ${Object.keys(connectors).join(", ")}. Choose one of them.`);
  return {
    name: `xcopa_${language}`,
    version: 1,
    harness: "v0.4",
    outputType: "multiple_choice",
    text: (doc) => unfinished(doc, words),
    choices: (doc) => [textOf(doc, "choice1"), textOf(doc, "choice2")].map(lowerFirst),
    target: (doc) => numberOf(doc, "label"),
    metrics: [{ name: "acc" }],
    chance: 1 / 2,
  };
}
