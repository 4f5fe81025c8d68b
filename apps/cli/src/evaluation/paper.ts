import { paperIqTables } from "@espalier/evals";
import pc from "picocolors";
import type { Output } from "../terminal/output.ts";
import { tableLines } from "../terminal/table.ts";

/** The paper's IQ tables with the intervals they leave out, and which of its differences survive. */
export function paperTables(output: Output): void {
  const { cells, differences } = paperIqTables();
  for (const table of new Set(cells.map((cell) => cell.table))) {
    output.line(`\n${pc.bold(table)}`);
    const rows = cells
      .filter((cell) => cell.table === table)
      .map(({ task, model, printed, items, interval }) => [
        task,
        model,
        `${printed.toFixed(2)} %`,
        `${(100 * interval[0]).toFixed(1)} to ${(100 * interval[1]).toFixed(1)}`,
        String(items),
      ]);
    for (const line of tableLines(["task", "model", "printed", "95 %", "items"], rows, [2, 4])) output.line(line);
    const tested = differences
      .filter((difference) => difference.table === table)
      .map(({ task, rival, difference, interval, adjustedPValue, survives }) => [
        task,
        `FLM-101B - ${rival}`,
        `${difference > 0 ? "+" : ""}${(100 * difference).toFixed(1)}`,
        interval.map((x) => (100 * x).toFixed(1)).join(" to "),
        adjustedPValue.toPrecision(2),
        survives ? pc.green("survives") : pc.dim("not shown"),
      ]);
    for (const line of tableLines(["task", "difference", "points", "95 %", "p (Holm)", ""], tested, [2, 4]))
      output.line(line);
  }
  const tasks = differences.filter(({ task }) => task !== "average");
  const averages = differences.filter(({ task }) => task === "average");
  const count = (rows: typeof differences) => `${rows.filter(({ survives }) => survives).length} of ${rows.length}`;
  output.line(
    `\n${count(tasks)} differences of tasks and ${count(averages)} of table averages survive. Answers to single items were not published, so the tests are unpaired: pairing could show more.`,
  );
  output.result("paper", { cells, differences });
}
