/** Task and group files of lm-evaluation-harness with the documents that the user puts beside the other sets. */

import { readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { ConfigError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import { readDocuments } from "../knowledge/readers.ts";
import type { KnowledgeGroup } from "../knowledge/summary.ts";
import type { Doc, Harness, KnowledgeSet, ReadFile } from "../knowledge/task.ts";
import { readConfig } from "../yaml/config.ts";
import { expandGroup, type ExpandedGroup, type ExpandedTask, type FoundMember } from "../yaml/expand.ts";
import type { YamlGroup } from "../yaml/group.ts";
import { readTaskYaml } from "../yaml/load.ts";
import { builtIn } from "./builtInTasks.ts";
import { type DataDirectory, openDataDirectory } from "./dataFiles.ts";
import { readTaskFolder, type TaskFolder } from "./taskFolder.ts";

/** What a file asks for: one set and no group, or the tasks and groups of a group file. */
export interface LoadedTaskFile {
  sets: KnowledgeSet[];
  groups: readonly KnowledgeGroup[];
}

export interface TaskFileOptions {
  /** Directories whose task and group files are known by name, as the harness's `--include_path` makes them. The first wins. */
  includePaths?: readonly string[];
  /** Prompts of built-in tasks. Default `v0.4`. */
  harness?: Harness;
  /** Shots that will be asked for, where the task does not say 0: their documents are read. Default: the task's own number. */
  numFewshot?: number;
}

/**
 * A task file or a group file with its documents, from `{task}/{split}.jsonl` below the data directory or where `data_files`
 * names them there: the scored split, and the split of the shots where that is another. The members of a group are sought by
 * name among the .yaml files of the group's folder and below it, then of the include paths, then among the tasks of this project.
 *
 * @throws {ConfigError} naming what the file asks for and this reader does not support, an unknown member, a circle of groups
 * @throws {FileError} when a file is missing
 * @throws {DataError} when a file has another digest than the manifest of the data directory states
 */
export async function loadTaskFile(path: string, dataDirectory: string, options: TaskFileOptions = {}): Promise<LoadedTaskFile> {
  const read = readTaskYaml(readText(path), path, readInclude);
  if ("task" in read) return await withDocuments({ tasks: [{ task: read.task, name: read.task.task.name }], groups: [] }, dataDirectory, options);
  return await expanded(read.group, [dirname(path), ...(options.includePaths ?? [])], dataDirectory, options);
}

/**
 * Tasks, groups and tags of the include paths by name; what they refer to may be a task of this project.
 *
 * @throws as `loadTaskFile`
 */
export async function loadTasksByName(names: readonly string[], dataDirectory: string, options: TaskFileOptions = {}): Promise<LoadedTaskFile> {
  const { includePaths = [] } = options;
  const [path = "--include-path"] = includePaths;
  const all: YamlGroup = { name: "", path, members: names.map((name) => ({ name, overrides: {}, included: {} })), overrides: {}, metrics: [] };
  const { sets, groups } = await expanded(all, includePaths, dataDirectory, options);
  return { sets, groups: groups.slice(1) };
}

/** Names of tasks, groups and tags in the files of directories. @throws {FileError} when one cannot be read */
export async function taskFileNames(directories: readonly string[]): Promise<string[]> {
  return [...new Set((await Promise.all(directories.map(readTaskFolder))).flatMap(({ names }) => names))];
}

async function expanded(group: YamlGroup, directories: readonly string[], dataDirectory: string, options: TaskFileOptions): Promise<LoadedTaskFile> {
  const folders = await Promise.all([...new Set(directories)].map(readTaskFolder));
  const find = (name: string): FoundMember | undefined => {
    for (const folder of folders) {
      const found = findIn(folder, name);
      if (found !== undefined) return found;
    }
    const load = builtIn(name, dataDirectory, options.harness ?? "v0.4");
    return load && { builtIn: load };
  };
  return await withDocuments(await expandGroup(group, find, readInclude), dataDirectory, options);
}

function findIn(folder: TaskFolder, name: string): FoundMember | undefined {
  const file = folder.fileOf(name);
  if (file !== undefined) return { config: readConfig(readText(file), file, readInclude), path: file };
  const tagged = folder.tasksOf(name);
  return tagged && { tagged };
}

const readInclude = (name: string, from: string): { text: string; path: string } => {
  const included = isAbsolute(name) ? name : join(dirname(from), name);
  return { text: readText(included), path: included };
};

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw fileError("reading", path, error);
  }
}

async function withDocuments({ tasks, groups }: ExpandedGroup, dataDirectory: string, options: TaskFileOptions): Promise<LoadedTaskFile> {
  const data = await openDataDirectory(dataDirectory);
  return { sets: await Promise.all(tasks.map((task) => setOf(task, data, options))), groups };
}

async function setOf(expandedTask: ExpandedTask, data: DataDirectory, { numFewshot }: TaskFileOptions): Promise<KnowledgeSet> {
  if ("set" in expandedTask) return expandedTask.set;
  const { task: { task, source, process }, name } = expandedTask;
  const documents = async (split: string): Promise<{ docs: Doc[]; read: ReadFile }> => {
    const path = source.files === undefined ? `${name}/${split}.jsonl` : source.files[split];
    if (path === undefined) throw new ConfigError(`${name}: data_files name no file of the split ${split}, expected one; they have ${Object.keys(source.files!).join(", ")}. Name it, or correct the split.`);
    const { text, read } = await data.read({ path });
    return { docs: readDocuments(text, path).map(process), read };
  };
  const { docs, read } = await documents(source.scored);
  const shots = task.numFewshot === 0 ? 0 : (numFewshot ?? task.numFewshot ?? 0);
  if (source.fewshot === source.scored || shots === 0 || task.fewshotDocs !== undefined) return { task, docs, files: [read] };
  const fewshot = await documents(source.fewshot);
  return { task, docs, fewshotDocs: fewshot.docs, files: [read, fewshot.read] };
}
