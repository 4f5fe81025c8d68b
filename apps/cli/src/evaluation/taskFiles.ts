import type { KnowledgeEntry } from "@espalier/evals";
import { type LoadedTaskFile, loadTaskFile, loadTasksByName, type TaskFileOptions, taskFileNames } from "@espalier/evals/node";
import { type Selection, selectTasks } from "./select.ts";
import { UsageError } from "../usage.ts";

/** Tasks of the words, those of the include paths by name among them; paths made absolute. */
export async function selectWithFiles(
  words: readonly string[],
  includePaths: readonly string[],
  path: (value: string) => string,
): Promise<Selection> {
  const directories = includePaths.map(path);
  const selection = selectTasks(words, await taskFileNames(directories));
  return { ...selection, files: selection.files.map(path), includePaths: directories };
}

/** All files of a knowledge test. */
export const filesOf = ({ docs, fewshot, beside = [] }: KnowledgeEntry) => [docs, ...(fewshot ? [fewshot] : []), ...beside];

/** What a selection needs data for. */
export const needingData = ({ knowledge, files, named }: Selection): string[] => [...knowledge.map(({ name }) => name), ...files, ...named];

/** Sets and groups of the task files of a selection, and of its names of the include paths. */
export async function loadTaskFiles(
  { files, named, includePaths }: Selection,
  sets: string,
  options: Omit<TaskFileOptions, "includePaths">,
): Promise<LoadedTaskFile[]> {
  const all: TaskFileOptions = { ...options, includePaths };
  return await Promise.all([...files.map((file) => loadTaskFile(file, sets, all)), ...(named.length > 0 ? [loadTasksByName(named, sets, all)] : [])]);
}

/** @throws {ConfigError} when data are needed and no directory is named */
export function expectSets(where: string, selection: Selection, sets: string | undefined): asserts sets is string {
  const needing = needingData(selection);
  if (sets === undefined && needing.length > 0)
    throw new UsageError(
      `${where}: ${needing.join(", ")} needs data, but --sets is missing. Name the directory of the data sets; \`espalier eval list\` shows its files.`,
    );
}
