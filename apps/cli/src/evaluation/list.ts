import { knowledgeTable, tasks } from "@espalier/evals";
import type { Output } from "../terminal/output.ts";
import { tableLines } from "../terminal/table.ts";
import { groups } from "./select.ts";
import { filesOf } from "./taskFiles.ts";

/** Every task with what it needs. */
export function listTasks(output: Output): void {
  output.line("IQ tests and recall, generated from seeds:");
  output.verbatim(tableLines(
    ["name", "title", "items in the paper"],
    tasks.map(({ id, title, paperItems }) => [id, title, String(paperItems)]),
    [2],
  ));
  output.line("\nKnowledge tests, over files below --sets:");
  const rows = knowledgeTable.map((entry) => [
    entry.name,
    entry.title,
    String(entry.shots),
    filesOf(entry).map(({ path }) => path).join(", "),
    entry.licence,
  ]);
  output.verbatim(tableLines(["name", "title", "shots", "files", "licence"], rows, [2]));
  output.line(
    `\nGroups: ${Object.keys(groups).join(", ")}. Patterns such as bbh_* work, and task and group files of lm-evaluation-harness (.yaml).`,
  );
  output.result("tasks", {
    iq: tasks.map(({ id, title, version, paperItems }) => ({ id, title, version, paperItems })),
    knowledge: knowledgeTable.map(({ name, title, licence, docs, fewshot, beside, shots }) => ({
      name,
      title,
      licence,
      docs,
      fewshot,
      beside,
      shots,
    })),
    groups,
  });
}
