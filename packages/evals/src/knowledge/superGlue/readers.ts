/**
 * SuperGLUE's files as published (labels as words or truth values, questions below their passage) or as the Hugging Face hub has
 * them, flat and with numbers for labels; rows of the latter stay as they are.
 */

import { DataError } from "@espalier/core";
import { pythonSlice } from "../../python/text.ts";
import { readJsonLines } from "../readers.ts";
import { type Doc, numberOf, textOf } from "../task.ts";

const shown = (value: unknown): string => (value === undefined ? "missing" : JSON.stringify(value).slice(0, 60));

/** Lines whose label is a number or one of `words`, whose place is that number. */
const labelled = (words: readonly unknown[], flatten: (row: Doc) => Doc = (row) => row) => (text: string): Doc[] =>
  readJsonLines(text).map((row, n) => {
    const label = typeof row.label === "number" ? row.label : words.indexOf(row.label);
    if (!Number.isInteger(label) || label < 0 || label >= words.length) {
      throw new DataError(`SuperGLUE: label of row ${n + 1} is ${shown(row.label)}, expected one of ${words.join(", ")} or their numbers. Take a file of the publisher that has labels.`);
    }
    return { ...flatten(row), label };
  });

export const readCb = labelled(["entailment", "contradiction", "neutral"]);
export const readRte = labelled(["entailment", "not_entailment"]);
export const readWic = labelled([false, true]);
/** The spans of `target` become columns. */
export const readWsc = labelled([false, true], (row) => ({ ...row, ...(typeof row.target === "object" && row.target) }));

/** The object that a column holds, of a row or of a part of it. */
function partOf(doc: Doc, column: string, where: string): Doc {
  const part = doc[column];
  if (typeof part !== "object" || part === null || Array.isArray(part)) throw new DataError(`${where}: ${column} is ${shown(part)}, expected an object. Take the publisher's file.`);
  return part as Doc;
}

function partsOf(doc: Doc, column: string, where: string): Doc[] {
  const parts = doc[column];
  if (!Array.isArray(parts) || parts.some((part) => typeof part !== "object" || part === null)) throw new DataError(`${where}: ${column} is ${shown(parts)}, expected a list of objects. Take the publisher's file.`);
  return parts as Doc[];
}

/** One document an answer: `{paragraph, question, answer, label}`. @throws {DataError} naming the row of another form */
export function readMultirc(text: string): Doc[] {
  return readJsonLines(text).flatMap((row, n): Doc[] => {
    if (!("passage" in row)) return [row];
    const where = `readMultirc, row ${n + 1}`;
    const passage = partOf(row, "passage", where);
    return partsOf(passage, "questions", where).flatMap((question) =>
      partsOf(question, "answers", where).map((answer) => ({
        paragraph: textOf(passage, "text"),
        question: textOf(question, "question"),
        answer: textOf(answer, "text"),
        label: numberOf(answer, "label"),
      })),
    );
  });
}

/** One document a query: `{passage, query, entities, answers}`; ends of entities are their last character. @throws {DataError} naming the row of another form */
export function readRecord(text: string): Doc[] {
  return readJsonLines(text).flatMap((row, n): Doc[] => {
    if (!("qas" in row)) return [row];
    const where = `readRecord, row ${n + 1}`;
    const passage = partOf(row, "passage", where);
    const whole = textOf(passage, "text");
    const entities = [...new Set(partsOf(passage, "entities", where).map((entity) => pythonSlice(whole, numberOf(entity, "start"), numberOf(entity, "end") + 1)))];
    return partsOf(row, "qas", where).map((query) => ({
      passage: whole,
      query: textOf(query, "query"),
      entities,
      answers: [...new Set(partsOf(query, "answers", where).map((answer) => textOf(answer, "text")))],
    }));
  });
}
