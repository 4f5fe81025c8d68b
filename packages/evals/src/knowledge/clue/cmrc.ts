/** CMRC 2018 (Cui et al. 2019, arXiv:1810.07366): answers that stand in a passage. CC BY-SA 4.0 at its publisher; a user's files. */

import { DataError } from "@espalier/core";
import { type Doc, type KnowledgeTask, textOf, textsOf } from "../task.ts";
import { cmrcScores } from "./cmrcScores.ts";
import { clueBase } from "./task.ts";

/**
 * Questions of a file in SQuAD's form, `{data: [{paragraphs: [{context, qas: [{id, question, answers: [{text}]}]}]}]}`: one
 * document `{id, context, question, answers}` each.
 *
 * @throws {DataError} naming the place that has another form
 */
export function readCmrc(text: string): Doc[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (cause) {
    throw new DataError("readCmrc: the text is not JSON, expected the publisher's file. Check that it is complete.", { cause });
  }
  return listIn(file, "data", "the file").flatMap((article, a) =>
    listIn(article, "paragraphs", `article ${a + 1}`).flatMap((paragraph, p) => {
      const where = `paragraph ${p + 1} of article ${a + 1}`;
      const context = textIn(paragraph, "context", where);
      return listIn(paragraph, "qas", where).map((question, q): Doc => {
        const at = `question ${q + 1} of ${where}`;
        const answers = [...new Set(listIn(question, "answers", at).map((answer) => textIn(answer, "text", `an answer of ${at}`)))];
        if (answers.length === 0) throw new DataError(`readCmrc: ${at} has no answers, expected at least one. Take a file of the publisher that has answers.`);
        return { id: textIn(question, "id", at), context, question: textIn(question, "question", at), answers };
      });
    }),
  );
}

const fieldOf = (value: unknown, name: string): unknown => (typeof value === "object" && value !== null ? (value as Doc)[name] : undefined);
const shown = (value: unknown): string => (value === undefined ? "missing" : JSON.stringify(value).slice(0, 60));

function listIn(value: unknown, name: string, where: string): unknown[] {
  const list = fieldOf(value, name);
  if (!Array.isArray(list)) throw new DataError(`readCmrc: ${name} of ${where} is ${shown(list)}, expected a list. Take the publisher's file in SQuAD's form.`);
  return list;
}

function textIn(value: unknown, name: string, where: string): string {
  const text = fieldOf(value, name);
  if (typeof text !== "string") throw new DataError(`readCmrc: ${name} of ${where} is ${shown(text)}, expected text. Take the publisher's file in SQuAD's form.`);
  return text;
}

/** The answer is written, up to the end of its line. */
export const cmrc: KnowledgeTask = {
  ...clueBase,
  name: "clue_cmrc2018",
  outputType: "generate_until",
  text: (doc) => `文章：${textOf(doc, "context")}\n问题：${textOf(doc, "question")}\n答案：`,
  target: (doc) => textsOf(doc, "answers"),
  metrics: [{ name: "em" }, { name: "f1", aggregation: "mean" }],
  score: (doc, { generated = "" }) => cmrcScores(generated, textsOf(doc, "answers")),
  generation: { until: ["\n"], maxTokens: 128 },
  cluster: (doc) => textOf(doc, "context"),
};
