import { readFile } from "node:fs/promises";
import { DataError } from "@espalier/core";
import { disk, fileError } from "@espalier/core/node";

/** An argument that names a place on the web, not on the disk. */
export const isAddress = (text: string): boolean => /^https?:\/\//i.test(text);

/** @throws {FileError} naming the file, when it cannot be read */
export async function readText(file: string): Promise<string> {
  return await readFile(file, "utf8").catch((error: unknown) => {
    throw fileError("reading", file, error);
  });
}

/**
 * @param expected what the file should be, in words
 * @throws {DataError} when the file holds no JSON
 */
export async function readJson(file: string, expected: string): Promise<unknown> {
  const text = await readText(file);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${file}: not JSON (${(cause as Error).message.replaceAll(/\s+/g, " ")}), expected ${expected}. Correct the file.`, { cause });
  }
}

/** @throws {FileError} naming the directory, when it cannot be made */
export async function makeDirectory(directory: string): Promise<void> {
  await disk.makeDirectory(directory).catch((error: unknown) => {
    throw fileError("making", directory, error);
  });
}
