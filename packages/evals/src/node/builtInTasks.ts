/** Tasks of this project by the names that group files of lm-evaluation-harness know them by. */

import { DataError } from "@espalier/core";
import { mmluGroups } from "../knowledge/mmlu/task.ts";
import { type KnowledgeEntry, knowledgeBundles, knowledgeNamed, knowledgeTable } from "../knowledge/table.ts";
import type { Harness, KnowledgeSet } from "../knowledge/task.ts";
import type { BuiltInSets, LoadBuiltIn } from "../yaml/builtIn.ts";
import { openDataDirectory } from "./dataFiles.ts";
import { loadKnowledge } from "./loadKnowledge.ts";

/** Entries of several tasks: what a name within them stands for. */
const within = new Map<string, { entry: string; tasks: readonly string[] }>([
  ...mmluGroups.filter(({ name }) => name !== "mmlu").map(({ name, tasks }) => [name, { entry: "mmlu", tasks }] as const),
  ...mmluGroups.flatMap(({ tasks }) => tasks).map((name) => [name, { entry: "mmlu", tasks: [name] }] as const),
  ...["truthfulqa_mc1", "truthfulqa_mc2"].map((name) => [name, { entry: "truthfulqa", tasks: [name] }] as const),
]);

/**
 * How to read what a name stands for: a task, a bundle such as `bbh`, or a task within an entry, such as `mmlu_anatomy`.
 * Shots of another split than usual come from `{task}/{split}.jsonl` below the data directory, in the form of the task's file.
 *
 * @returns undefined for a name that this project has no knowledge test of
 */
export function builtIn(name: string, dataDirectory: string, harness: Harness): LoadBuiltIn | undefined {
  const part = within.get(name);
  const isBundle = Object.hasOwn(knowledgeBundles, name);
  if (part === undefined && !isBundle && !knowledgeTable.some((entry) => entry.name === name)) return undefined;
  return async (fewshotSplit) => {
    const sets: KnowledgeSet[] = [];
    for (const entry of knowledgeNamed([part?.entry ?? name])) {
      const loaded = (await loadKnowledge(dataDirectory, entry, harness)).filter(({ task }) => part === undefined || part.tasks.includes(task.name));
      if (loaded.length === 0) throw new DataError(`${name}: ${entry.docs.path} has none of its documents, expected some. Take the file of all tasks, or leave ${name} out.`);
      sets.push(...(fewshotSplit === undefined ? loaded : await Promise.all(loaded.map((set) => withShotsOf(set, entry, fewshotSplit, dataDirectory, harness)))));
    }
    return { sets, groups: rowsOf(name, sets, isBundle) };
  };
}

function rowsOf(name: string, sets: readonly KnowledgeSet[], isBundle: boolean): BuiltInSets["groups"] {
  if (name === "mmlu") return mmluGroups;
  const group = mmluGroups.find((known) => known.name === name);
  if (group !== undefined) return [group];
  return isBundle ? [{ name, tasks: sets.map(({ task }) => task.name) }] : []; // `truthfulqa` is a tag
}

/** The set with shots of a split: its own documents where that is the scored one. */
async function withShotsOf(set: KnowledgeSet, entry: KnowledgeEntry, split: string, dataDirectory: string, harness: Harness): Promise<KnowledgeSet> {
  const { fewshotDocs: _, ...own } = set;
  if (split === (set.task.scoredSplit ?? "test")) return own;
  const { text, read } = await (await openDataDirectory(dataDirectory)).read({ path: `${set.task.name}/${split}.jsonl` });
  const shots = entry.sets(text, undefined, harness).find(({ task }) => task.name === set.task.name);
  if (shots === undefined) throw new DataError(`${read.path}: has no documents of ${set.task.name}, expected some. Take the file of that task.`);
  return { ...own, fewshotDocs: shots.docs, files: [...(set.files ?? []), read] };
}
