/** ChID in CLUE's form: which idiom fills a gap (Zheng et al. 2019, arXiv:1906.01265). No licence is stated: a user's files. */

import { DataError } from "@espalier/core";
import { readJsonLines } from "../readers.ts";
import { type Doc, type KnowledgeSet, type KnowledgeTask, numberOf, textOf, textsOf } from "../task.ts";
import { clueBase } from "./task.ts";

const GAP = /#idiom\d+#/g;

/**
 * One document a gap, in the order of the file: `{content, gap, candidates, answer, line}`.
 *
 * @param text     lines with `candidates` (idioms) and `content` (texts with marks such as `#idiom000123#`)
 * @param answers  JSON object from mark to the index of the right candidate
 * @throws {DataError} for a line of another form, and a mark without an answer or with one that is none of its candidates
 */
export function readChid(text: string, answers: string): Doc[] {
  const right = parseAnswers(answers);
  return readJsonLines(text).flatMap((row, n) => {
    const [candidates, contents] = [textsIn(row, "candidates", n + 1), textsIn(row, "content", n + 1)];
    return contents.flatMap((content) =>
      [...new Set(content.match(GAP) ?? [])].map((gap): Doc => {
        const answer = right.get(gap);
        if (answer === undefined) throw new DataError(`readChid: row ${n + 1} has the gap ${gap} without an answer. Take the answers that belong to this file.`);
        if (!Number.isInteger(answer) || candidates[answer as number] === undefined) {
          throw new DataError(`readChid: the answer of ${gap} is ${JSON.stringify(answer)?.slice(0, 60)}, expected the index of one of ${candidates.length} candidates. Take the answers that belong to this file.`);
        }
        return { content, gap, candidates, answer, line: n + 1 };
      }),
    );
  });
}

function parseAnswers(text: string): Map<string, unknown> {
  let answers: unknown;
  try {
    answers = JSON.parse(text);
  } catch (cause) {
    throw new DataError("readChid: the answers are not JSON, expected an object from mark to index. Check that the file is complete.", { cause });
  }
  if (typeof answers !== "object" || answers === null || Array.isArray(answers)) throw new DataError(`readChid: the answers are ${text.slice(0, 40)}, expected an object from mark to index. Take the publisher's answer file.`);
  return new Map(Object.entries(answers));
}

function textsIn(row: Doc, column: string, n: number): string[] {
  const value = row[column];
  if (!Array.isArray(value) || value.length === 0 || value.some((part) => typeof part !== "string")) {
    throw new DataError(`readChid: row ${n} has ${column} ${JSON.stringify(value)?.slice(0, 60)}, expected a list of texts. Take the publisher's file.`);
  }
  return value as string[];
}

/** A gap at a time; the others of the same text stand as dots. Gaps of one line share their candidates, and cluster. */
export const chid: KnowledgeTask = {
  ...clueBase,
  name: "clue_chid",
  text(doc) {
    const gap = textOf(doc, "gap");
    return `文章：${textOf(doc, "content").replace(GAP, (mark) => (mark === gap ? "____" : "……"))}\n问题：横线处应填入哪个成语？\n答案：`;
  },
  choices: (doc) => textsOf(doc, "candidates"),
  target: (doc) => numberOf(doc, "answer"),
  cluster: (doc) => String(numberOf(doc, "line")),
};

/** Task and documents; chance is known where all gaps have equally many candidates. */
export function chidSet(text: string, answers: string, fewshot?: string, fewshotAnswers?: string): KnowledgeSet {
  const docs = readChid(text, answers);
  const sizes = new Set(docs.map((doc) => textsOf(doc, "candidates").length));
  const [size] = sizes;
  return {
    task: sizes.size === 1 ? { ...chid, chance: 1 / size! } : chid,
    docs,
    ...(fewshot !== undefined && fewshotAnswers !== undefined && { fewshotDocs: readChid(fewshot, fewshotAnswers) }),
  };
}
