/** Rows of JSON Lines files, with the place of whatever is wrong in every error. */

import { DataError } from "@espalier/core";

export type Row = Readonly<Record<string, unknown>>;

/** Objects of a JSON Lines text. @throws {DataError} naming the line that is no object */
export function jsonLines(where: string, text: string): Row[] {
  return text.split("\n").flatMap((line, n) => {
    if (line.trim() === "") return [];
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch (cause) {
      throw new DataError(`${where}: line ${n + 1} is not JSON, expected one object a line. Check the file.`, { cause });
    }
    if (typeof row !== "object" || row === null || Array.isArray(row)) {
      throw new DataError(`${where}: line ${n + 1} is ${line.slice(0, 40)}, expected an object. Check the file.`);
    }
    return [row as Row];
  });
}

interface Types {
  string: string;
  number: number;
  boolean: boolean;
}

/** A field of a given type. @throws {DataError} naming item and field */
export function field<T extends keyof Types>(where: string, row: Row, n: number, name: string, type: T): Types[T] {
  const value = row[name];
  if (typeof value !== type) {
    throw new DataError(`${where}: item ${n + 1} has ${name} ${JSON.stringify(value)}, expected a ${type}. Check the file.`);
  }
  return value as Types[T];
}

/** A field that is an object. @throws {DataError} naming item and field */
export function objectField(where: string, row: Row, n: number, name: string): Row {
  const value = row[name];
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new DataError(`${where}: item ${n + 1} has ${name} ${JSON.stringify(value)}, expected an object. Check the file.`);
  }
  return value as Row;
}

/**
 * Index of a label among the known spellings of each class; true and false stand for their names, numbers for their digits.
 *
 * @throws {DataError} for any other label
 */
export function labelOf(where: string, row: Row, n: number, classes: readonly (readonly string[])[]): number {
  const found = classes.findIndex((spellings) => spellings.includes(String(row.label)));
  if (found < 0 || typeof row.label === "object") {
    throw new DataError(`${where}: item ${n + 1} has label ${JSON.stringify(row.label)}, expected one of ${classes.flat().join(", ")}. Check the file.`);
  }
  return found;
}
