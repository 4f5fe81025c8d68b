/** Task files of lm-evaluation-harness with the documents that the user puts beside the other sets. */

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DataError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import { readJsonLines } from "../knowledge/readers.ts";
import type { KnowledgeSet } from "../knowledge/task.ts";
import { readTaskYaml } from "../yaml/load.ts";

/**
 * A task file and its documents, from `{task}/{split}.jsonl` below the data directory: the scored split, and the split of
 * the shots where that file is there.
 *
 * @throws {ConfigError} naming what the file asks for and this reader does not support
 * @throws {DataError} for a group file, whose members are files of their own
 * @throws {FileError} when a file is missing
 */
export async function loadTaskFile(path: string, dataDirectory: string): Promise<KnowledgeSet> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw fileError("reading", path, error);
  });
  const read = readTaskYaml(text, path, (name, from) => {
    const included = join(dirname(from), name);
    try {
      return { text: readFileSync(included, "utf8"), path: included };
    } catch (error) {
      throw fileError("reading", included, error);
    }
  });
  if ("group" in read)
    throw new DataError(`${path}: a group of ${read.group.tasks.join(", ")}, expected a task. Name the files of its tasks.`);
  const { task, source, process } = read.task;
  const documents = async (split: string) => {
    const file = join(dataDirectory, task.name, `${split}.jsonl`);
    const lines = await readFile(file, "utf8").catch((error: unknown) => {
      throw fileError("reading", file, error);
    });
    return readJsonLines(lines).map(process);
  };
  const docs = await documents(source.scored);
  if (source.fewshot === source.scored || !task.numFewshot) return { task, docs };
  return { task, docs, fewshotDocs: await documents(source.fewshot) };
}
