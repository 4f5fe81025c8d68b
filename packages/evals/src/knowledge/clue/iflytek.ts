/** IFLYTEK of CLUE: which of 119 kinds an app is, from its description. No licence is stated: a user's files. */

import { DataError } from "@espalier/core";
import { readJsonLines } from "../readers.ts";
import { type Doc, type KnowledgeSet, type KnowledgeTask, numberOf, textOf } from "../task.ts";
import { clueBase } from "./task.ts";

/** Rows with `label` (a number as text), `label_des` and `sentence`. @throws {DataError} naming the row that is none */
export function readIflytek(text: string): Doc[] {
  const docs = readJsonLines(text);
  docs.forEach((doc, n) => {
    for (const column of ["label_des", "sentence"]) {
      if (typeof doc[column] !== "string" || doc[column] === "") {
        throw new DataError(`readIflytek: row ${n + 1} has ${column} ${JSON.stringify(doc[column])?.slice(0, 60)}, expected text. Take a file of the publisher that has labels.`);
      }
    }
    if (!Number.isSafeInteger(numberOf(doc, "label"))) throw new DataError(`readIflytek: row ${n + 1} has label ${JSON.stringify(doc.label)}, expected a whole number. Take the publisher's file.`);
  });
  return docs;
}

/**
 * Descriptions of all kinds that occur, by their number.
 *
 * @throws {DataError} when a number has two descriptions
 */
export function iflytekKinds(docs: readonly Doc[]): string[] {
  const kinds = new Map<number, string>();
  for (const doc of docs) {
    const [label, kind] = [numberOf(doc, "label"), textOf(doc, "label_des")];
    const known = kinds.get(label) ?? kind;
    if (known !== kind) throw new DataError(`iflytekKinds: label ${label} is described as ${known} and as ${kind}, expected one description. Take training and development file of the same version.`);
    kinds.set(label, kind);
  }
  return [...new Set([...kinds].sort(([a], [b]) => a - b).map(([, kind]) => kind))];
}

/** The kind of an app among `kinds`. */
export const iflytek = (kinds: readonly string[]): KnowledgeTask => ({
  ...clueBase,
  name: "clue_iflytek",
  text: (doc) => `应用描述：${textOf(doc, "sentence")}\n问题：这个应用属于哪一类？\n答案：`,
  choices: () => kinds,
  target(doc) {
    const kind = kinds.indexOf(textOf(doc, "label_des"));
    if (kind < 0) throw new DataError(`clue_iflytek: label_des is ${JSON.stringify(doc.label_des)}, expected one of ${kinds.length} kinds: ${kinds.slice(0, 5).join(", ")}. Make the kinds from the same files.`);
    return kind;
  },
  chance: 1 / kinds.length,
});

/** Task and documents; the kinds are those of both files, because the development file alone may lack some. */
export function iflytekSet(text: string, fewshot?: string): KnowledgeSet {
  const [docs, fewshotDocs] = [readIflytek(text), fewshot === undefined ? undefined : readIflytek(fewshot)];
  return { task: iflytek(iflytekKinds([...docs, ...(fewshotDocs ?? [])])), docs, ...(fewshotDocs && { fewshotDocs }) };
}
