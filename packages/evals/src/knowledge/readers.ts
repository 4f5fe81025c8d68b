/** Rows of a data file. */

import { DataError } from "@espalier/core";
import type { Doc } from "./task.ts";

/** JSON Lines, one document a line. @throws {DataError} naming the line that is no object */
export function readJsonLines(text: string): Doc[] {
  return text.split("\n").flatMap((line, n) => {
    if (line.trim() === "") return [];
    const doc = parse(line, n + 1);
    return [doc];
  });
}

function parse(line: string, n: number): Doc {
  let doc: unknown;
  try {
    doc = JSON.parse(line);
  } catch (cause) {
    throw new DataError(`readJsonLines: line ${n} is not JSON. Check that the file is complete.`, { cause });
  }
  if (typeof doc !== "object" || doc === null || Array.isArray(doc)) {
    throw new DataError(`readJsonLines: line ${n} is ${line.slice(0, 40)}, expected an object. Check that the file is one row a line.`);
  }
  return doc as Doc;
}
