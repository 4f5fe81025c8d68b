import { knowledgeTable, tasks } from "@espalier/evals";
import type { Output } from "../terminal/output.ts";
import { tableLines, terminalColumns } from "../terminal/table.ts";
import { sentenceLines, visibleWidth } from "../terminal/wrap.ts";
import { groups } from "./select.ts";
import { filesOf } from "./taskFiles.ts";

/**
 * Every task with what it needs.
 *
 * @param columns width of the terminal: where the table of the knowledge tests is wider, a test is a sentence with its files below
 */
export function listTasks(output: Output, columns = terminalColumns()): void {
  output.line("IQ tests and recall, generated from seeds:");
  output.verbatim(tableLines(
    ["name", "title", "items in the paper"],
    tasks.map(({ id, title, paperItems }) => [id, title, String(paperItems)]),
    [2],
    columns,
  ));
  output.line("\nKnowledge tests, over files below --sets:");
  const rows = knowledgeTable.map((entry) => ({ ...entry, files: filesOf(entry).map(({ path }) => path) }));
  const table = tableLines(
    ["name", "title", "shots", "files", "licence"],
    rows.map(({ name, title, shots, files, licence }) => [name, title, String(shots), files.join(", "), licence]),
    [2],
    columns,
  );
  const sentences = () =>
    rows.flatMap(({ name, title, shots, files, licence }) => [
      ...sentenceLines(`${name}: ${title}, ${shots} ${shots === 1 ? "shot" : "shots"}, ${licence}`, columns),
      ...files.map((file) => `  ${file}`),
    ]);
  output.verbatim(table.some((line) => visibleWidth(line) > columns) ? sentences() : table);
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
