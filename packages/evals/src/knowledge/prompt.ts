/**
 * Prompts as lm-evaluation-harness assembles them:
 *
 *     shot   = question + target delimiter + answer + few-shot delimiter
 *     prompt = description + shot * n + question
 *
 * Nothing follows the question; the target delimiter goes to the continuation.
 */

import { DataError } from "@espalier/core";
import { endsWithSpace, startsWithSpace } from "../python/text.ts";
import type { Doc, KnowledgeTask } from "./task.ts";

export const targetDelimiterOf = (task: KnowledgeTask): string => task.targetDelimiter ?? " ";
export const fewshotDelimiterOf = (task: KnowledgeTask): string => task.fewshotDelimiter ?? "\n\n";

/** Joins two parts by a delimiter, unless one is empty or white space already stands between them. */
export function maybeDelimit(a: string, b: string, delimiter: string): string {
  if (a === "" || b === "") return a + b;
  return endsWithSpace(a) || startsWithSpace(b) ? a + b : a + delimiter + b;
}

/** The question of a shot or of the document itself; for multiple input the right context. */
export function questionOf(task: KnowledgeTask, doc: Doc): string {
  const text = task.text(doc);
  return typeof text === "number" ? choiceAt(task, doc, text) : text;
}

/** The answer a shot shows. */
export function answerOf(task: KnowledgeTask, doc: Doc): string {
  const target = task.target(doc);
  const first = Array.isArray(target) ? (target as readonly (number | string)[])[0] : (target as number | string);
  return typeof first === "number" ? choiceAt(task, doc, first) : first;
}

function choiceAt(task: KnowledgeTask, doc: Doc, index: number): string {
  const choices = task.choices?.(doc) ?? [];
  const choice = choices[index];
  if (choice === undefined) {
    throw new DataError(`${task.name}: answer ${index} of a document with ${choices.length} choices. Check the label column of the data.`);
  }
  return choice;
}

/** The prompt of a document behind its shots. */
export function promptOf(task: KnowledgeTask, doc: Doc, shots: readonly Doc[], question = questionOf(task, doc)): string {
  const prefix = task.generationPrefix?.(doc) ?? "";
  return contextOf(task, doc, shots) + maybeDelimit(question, prefix, targetDelimiterOf(task));
}

/** Description and shots: what stands before the question. */
export function contextOf(task: KnowledgeTask, doc: Doc, shots: readonly Doc[]): string {
  const description = typeof task.description === "function" ? task.description(doc) : (task.description ?? "");
  const form = { ...task, ...task.shot };
  return description + shots.map((shot) => shotOf(form, shot)).join("");
}

function shotOf(task: KnowledgeTask, shot: Doc): string {
  const [question, answer] = [questionOf(task, shot), answerOf(task, shot)];
  const between = targetDelimiterOf(task);
  const prefix = task.generationPrefix?.(shot) ?? "";
  if (answer === "") return maybeDelimit(question, prefix, between); // the harness takes it for no answer
  const answered = prefix === "" ? question + between + answer : maybeDelimit(question, prefix, between).slice(0, -prefix.length || undefined) + maybeDelimit(prefix, answer, " ");
  return answered + fewshotDelimiterOf(task);
}
