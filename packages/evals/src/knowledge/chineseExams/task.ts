/**
 * C-Eval (Huang et al. 2023, arXiv:2305.08322) and CMMLU (Li et al. 2023, arXiv:2306.09212). Both are CC BY-NC-SA 4.0
 * and not shipped: the reader takes a user's CSV or JSON Lines file.
 */

import { DataError } from "@espalier/core";
import { strip } from "../../python/text.ts";
import { readJsonLines } from "../readers.ts";
import { type Doc, type KnowledgeTask, textOf } from "../task.ts";

const LETTERS = ["A", "B", "C", "D"];

/** Rows of a C-Eval or CMMLU file, CSV (quoted cells may span lines) or JSON Lines. @throws {DataError} for a row with too few cells */
export function readExam(text: string): Doc[] {
  if (text.trimStart().startsWith("{")) return readJsonLines(text);
  const [header = [], ...rows] = readCsv(text);
  return rows.map((cells, n) => {
    if (cells.length !== header.length) throw new DataError(`readExam: row ${n + 1} has ${cells.length} cells, expected ${header.length} (${header.join(", ")}). Check the quotes.`);
    return Object.fromEntries(header.map((column, i) => [column, cells[i]]));
  });
}

/** RFC 4180. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.replace(/^\ufeff/, "").matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1)!.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.length > 1 || (row.length === 1 && row[0] !== ""));
}

function exam(name: string, description: string, columns: { question: string; answer: string }, version: number): KnowledgeTask {
  return {
    name,
    version,
    harness: "v0.4",
    outputType: "multiple_choice",
    sampler: "first_n",
    description,
    text: (doc) => `${strip(textOf(doc, columns.question))}\n${LETTERS.map((letter) => `${letter}. ${textOf(doc, letter)}\n`).join("")}答案：`,
    choices: () => LETTERS,
    target: (doc) => LETTERS.indexOf(textOf(doc, columns.answer)),
    metrics: [{ name: "acc" }, { name: "acc_norm" }],
    chance: 1 / 4,
  };
}

/** One subject of C-Eval's validation split. @param title the subject in Chinese, as in its prompt: 艺术学 */
export function ceval(subject: string, title: string): KnowledgeTask {
  return exam(`ceval-valid_${subject}`, `以下是中国关于${title}的单项选择题，请选出其中的正确答案。\n\n`, { question: "question", answer: "answer" }, 2);
}

/** One subject of CMMLU. @param title the subject in Chinese, as in its prompt: 解剖学 */
export function cmmlu(subject: string, title: string): KnowledgeTask {
  return exam(`cmmlu_${subject}`, `以下是关于${title}的单项选择题，请直接给出正确答案的选项。\n\n`, { question: "Question", answer: "Answer" }, 1);
}
