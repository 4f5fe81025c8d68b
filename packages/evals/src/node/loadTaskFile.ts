/** Task and group files of lm-evaluation-harness with the documents that the user puts beside the other sets. */

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileError } from "@espalier/core/node";
import { readJsonLines } from "../knowledge/readers.ts";
import type { KnowledgeGroup } from "../knowledge/summary.ts";
import type { KnowledgeSet } from "../knowledge/task.ts";
import { readConfig } from "../yaml/config.ts";
import { expandGroup, type ExpandedTask } from "../yaml/expand.ts";
import { readTaskYaml } from "../yaml/load.ts";
import { readTaskFolder } from "./taskFolder.ts";

/** What a file asks for: one set and no group, or the tasks and groups of a group file. */
export interface LoadedTaskFile {
  sets: KnowledgeSet[];
  groups: readonly KnowledgeGroup[];
}

/**
 * A task file or a group file with its documents, from `{task}/{split}.jsonl` below the data directory: the scored split, and
 * the split of the shots where that is another. The members of a group are sought by name among the .yaml files of the group's
 * folder and below it.
 *
 * @throws {ConfigError} naming what the file asks for and this reader does not support, an unknown member, a circle of groups
 * @throws {FileError} when a file is missing
 */
export async function loadTaskFile(path: string, dataDirectory: string): Promise<LoadedTaskFile> {
  const read = readTaskYaml(readText(path), path, readInclude);
  if ("task" in read) return { sets: [await withDocuments({ task: read.task, name: read.task.task.name }, dataDirectory)], groups: [] };
  const folder = await readTaskFolder(dirname(path));
  const find = (name: string) => {
    const file = folder.fileOf(name);
    if (file !== undefined) return { config: readConfig(readText(file), file, readInclude), path: file };
    const tagged = folder.tasksOf(name);
    return tagged && { tagged };
  };
  const { tasks, groups } = expandGroup(read.group, find, readInclude);
  return { sets: await Promise.all(tasks.map((task) => withDocuments(task, dataDirectory))), groups };
}

const readInclude = (name: string, from: string): { text: string; path: string } => {
  const included = join(dirname(from), name);
  return { text: readText(included), path: included };
};

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw fileError("reading", path, error);
  }
}

async function withDocuments({ task: { task, source, process }, name }: ExpandedTask, dataDirectory: string): Promise<KnowledgeSet> {
  const documents = async (split: string) => {
    const file = join(dataDirectory, name, `${split}.jsonl`);
    const lines = await readFile(file, "utf8").catch((error: unknown) => {
      throw fileError("reading", file, error);
    });
    return readJsonLines(lines).map(process);
  };
  const docs = await documents(source.scored);
  if (source.fewshot === source.scored || !task.numFewshot) return { task, docs };
  return { task, docs, fewshotDocs: await documents(source.fewshot) };
}
