/** Rows of a data file. */

import { DataError } from "@espalier/core";
import type { Doc } from "./task.ts";

/** JSON Lines, one document a line. @throws {DataError} naming the line that is no object */
export function readJsonLines(text: string): Doc[] {
  return linesOf(text, "readJsonLines");
}

/** JSON Lines, or one JSON list of documents. @throws {DataError} naming `path` and the line or entry that is no object */
export function readDocuments(text: string, path: string): Doc[] {
  if (!text.trimStart().startsWith("[")) return linesOf(text, path);
  let rows: unknown[];
  try {
    rows = JSON.parse(text) as unknown[];
  } catch (cause) {
    throw new DataError(`${path}: begins like a JSON list but is none, expected one, or an object a line. Check that the file is complete.`, { cause });
  }
  return rows.map((row, i) => {
    if (!isDoc(row)) throw new DataError(`${path}: entry ${i} is ${JSON.stringify(row).slice(0, 40)}, expected an object. Correct the file.`);
    return row;
  });
}

const linesOf = (text: string, where: string): Doc[] => text.split("\n").flatMap((line, n) => (line.trim() === "" ? [] : [parse(line, `${where}: line ${n + 1}`)]));
const isDoc = (value: unknown): value is Doc => typeof value === "object" && value !== null && !Array.isArray(value);

function parse(line: string, where: string): Doc {
  let doc: unknown;
  try {
    doc = JSON.parse(line);
  } catch (cause) {
    throw new DataError(`${where} is not JSON. Check that the file is complete.`, { cause });
  }
  if (!isDoc(doc)) throw new DataError(`${where} is ${line.slice(0, 40)}, expected an object. Check that the file is one row a line.`);
  return doc;
}
