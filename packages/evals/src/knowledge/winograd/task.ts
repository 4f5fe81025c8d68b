/**
 * WinoGrande (Sakaguchi et al. 2019, arXiv:1907.10641) and the Winograd schemas (Levesque et al. 2012) by partial
 * evaluation: the options stand in the context, the rest of the sentence is scored.
 */

import { codePoints, indexOf, pythonSlice, splitWords, strip } from "../../python/text.ts";
import { type Doc, type Harness, type KnowledgeTask, numberOf, textOf, textsOf } from "../task.ts";

/** Rows with `context_options`, `continuation` and `gold` are prepared already; the others are the Hub's. */
const isPrepared = (doc: Doc): boolean => "context_options" in doc;

export function winogrande(harness: Harness = "v0.4"): KnowledgeTask {
  const gap = (doc: Doc) => indexOf(textOf(doc, "sentence"), "_");
  return {
    name: "winogrande",
    version: harness === "v0.4" ? 1 : 0,
    harness,
    outputType: "multiple_choice",
    scoredSplit: "validation",
    text: (doc) => (isPrepared(doc) ? numberOf(doc, "gold") : Number(textOf(doc, "answer")) - 1),
    target: (doc) => (isPrepared(doc) ? textOf(doc, "continuation") : strip(pythonSlice(textOf(doc, "sentence"), gap(doc) + 1))),
    choices: (doc) => (isPrepared(doc) ? textsOf(doc, "context_options") : ["option1", "option2"].map((option) => pythonSlice(textOf(doc, "sentence"), 0, gap(doc)) + textOf(doc, option))),
    metrics: [{ name: "acc" }],
    decontaminationQuery: (doc) => (isPrepared(doc) ? textsOf(doc, "context_options")[0] + " " + textOf(doc, "continuation") : textOf(doc, "sentence")),
    chance: 1 / 2,
  };
}

const SENTENCE_STARTS = ["A", "An", "The", "She", "He", "It", "They", "My", "His", "Her", "Their"];
const POSSESSIVES = ["my", "his", "her", "our", "their"];

/** Option in place of the pronoun: `'s` for possessives, lower case within a sentence. */
function fitted(text: string, pronoun: string, at: number, option: string): string {
  const whole = POSSESSIVES.includes(pronoun.toLowerCase()) ? `${option}'s` : option;
  const [first] = splitWords(whole);
  const startsSentence = [...text].at(at - 2) === ".";
  return !startsSentence && SENTENCE_STARTS.includes(first) ? whole.replaceAll(first, first.toLowerCase()) : whole;
}

/** The present prompts put two spaces before the rest: it brings one, and the delimiter adds another. */
export function wsc273(harness: Harness = "v0.4"): KnowledgeTask {
  const space = harness === "v0.4" ? " " : "";
  const rest = (doc: Doc): string => {
    if (isPrepared(doc)) return space + textOf(doc, "continuation");
    const tail = pythonSlice(plain(doc), numberOf(doc, "pronoun_loc") + codePoints(textOf(doc, "pronoun")));
    return harness === "v0.4" ? tail : strip(tail);
  };
  const plain = (doc: Doc): string => textOf(doc, "text").replaceAll("  ", " ");
  const contexts = (doc: Doc): string[] =>
    textsOf(doc, "options").map((option) => {
      const at = numberOf(doc, "pronoun_loc");
      return pythonSlice(plain(doc), 0, at) + fitted(plain(doc), textOf(doc, "pronoun"), at, option);
    });
  return {
    name: "wsc273",
    version: harness === "v0.4" ? 1 : 0,
    harness,
    outputType: "multiple_choice",
    text: (doc) => numberOf(doc, isPrepared(doc) ? "gold" : "label"),
    target: rest,
    choices: (doc) => (isPrepared(doc) ? textsOf(doc, "context_options") : contexts(doc)),
    metrics: [{ name: "acc" }],
    chance: 1 / 2,
  };
}
