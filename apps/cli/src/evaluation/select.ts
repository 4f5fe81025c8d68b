import { iqTasks, type KnowledgeEntry, knowledgeBundles, knowledgeTable, procedureTasks, reasoningTasks, recallTasks, retrievalTasks, type Task, tasks } from "@espalier/evals";
import { UsageError } from "../usage.ts";

/** What `--tasks` asks for. */
export interface Selection {
  iq: Task[];
  knowledge: KnowledgeEntry[];
  /** Task files of lm-evaluation-harness. */
  files: string[];
  /** Tasks, groups and tags in files of the include paths. */
  named: string[];
  /** Directories of task files whose names may be used. */
  includePaths: readonly string[];
}

/** Names that stand for several tasks. */
export const groups: Readonly<Record<string, readonly string[]>> = {
  iq: iqTasks.map(({ id }) => id),
  recall: recallTasks.map(({ id }) => id),
  procedures: procedureTasks.map(({ id }) => id),
  retrieval: retrievalTasks.map(({ id }) => id),
  reasoning: reasoningTasks.map(({ id }) => id),
  knowledge: knowledgeTable.map(({ name }) => name),
  ...knowledgeBundles,
};

/** Earlier versions by `id@version`; the newest goes by its id alone. */
const versions = new Map<string, Task>(tasks.flatMap((task) => (task.earlier ?? []).map((earlier) => [`${earlier.id}@${earlier.version}`, earlier] as const)));
const names: readonly string[] = [...tasks.map(({ id }) => id), ...knowledgeTable.map(({ name }) => name)];

/**
 * Tasks by name, group, pattern (`*` stands for any text) or task file; each once, in the order of the tables. A name of the
 * user's own files goes before one of this project, as in lm-evaluation-harness.
 *
 * @param own names of tasks, groups and tags in the files of the include paths
 * @throws {ConfigError} for a word that names nothing, with the names nearest to it
 */
export function selectTasks(words: readonly string[], own: readonly string[] = []): Selection {
  const wanted = new Set<string>();
  const files: string[] = [];
  const named = new Set<string>();
  for (const word of words) {
    if (/\.ya?ml$/.test(word)) {
      files.push(word);
      continue;
    }
    const mine = own.filter(matcher(word));
    for (const name of mine) named.add(name);
    if (mine.includes(word)) continue;
    const found = groups[word] ?? (versions.has(word) ? [word] : undefined) ?? names.filter(matcher(word));
    if (found.length + mine.length === 0) {
      throw new UsageError(
        `--tasks: "${word}" is no task, group or pattern. Nearest: ${nearest(word, own).join(", ")}. \`espalier eval list\` shows all.`,
      );
    }
    for (const name of found) if (!mine.includes(name)) wanted.add(name);
  }
  return {
    iq: [...tasks.filter(({ id }) => wanted.has(id)), ...[...versions].filter(([name]) => wanted.has(name)).map(([, task]) => task)],
    knowledge: knowledgeTable.filter(({ name }) => wanted.has(name)),
    files,
    named: [...named],
    includePaths: [],
  };
}

function matcher(word: string): (name: string) => boolean {
  const pattern = new RegExp(
    `^${word
      .split("*")
      .map((part) => part.replace(/[^\w]/g, "\\$&"))
      .join(".*")}$`,
  );
  return (name) => pattern.test(name);
}

/** Three names by the share of letter pairs that they have in common with a word. */
function nearest(word: string, more: readonly string[]): string[] {
  const pairs = (text: string) =>
    new Set(Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => text.slice(i, i + 2).toLowerCase()));
  const own = pairs(word);
  const likeness = (name: string) => {
    const theirs = pairs(name);
    return (2 * [...own].filter((pair) => theirs.has(pair)).length) / (own.size + theirs.size || 1);
  };
  return [...more, ...Object.keys(groups), ...names].sort((a, b) => likeness(b) - likeness(a)).slice(0, 3);
}
