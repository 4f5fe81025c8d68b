import { knowledgeTable } from "@espalier/evals";
import { describe, expect, it } from "vitest";
import type { Output } from "../terminal/output.ts";
import { visibleWidth } from "../terminal/wrap.ts";
import { listTasks } from "./list.ts";
import { filesOf } from "./taskFiles.ts";

function tablesAt(columns: number): string[] {
  const lines: string[] = [];
  const output: Output = { mode: "terminal", line: () => {}, verbatim: (more) => void lines.push(...more), piece: () => {}, result: () => {}, progress: () => {}, close: () => {} };
  listTasks(output, columns);
  return lines;
}

describe("listTasks", () => {
  it("names every test and file within 80 columns", () => {
    const lines = tablesAt(80);
    expect(lines.filter((line) => visibleWidth(line) > 80)).toEqual([]);
    expect(lines).toContain("hellaswag: HellaSwag, 10 shots, MIT");
    for (const entry of knowledgeTable) {
      expect(lines.some((line) => line.startsWith(`${entry.name}: `))).toBe(true);
      for (const { path } of filesOf(entry)) expect(lines).toContain(`  ${path}`);
    }
  });

  it("is a table where that fits", () => {
    expect(tablesAt(200).some((line) => /^hellaswag +HellaSwag +10 +hellaswag\/\S+ +MIT$/.test(line))).toBe(true);
  });
});
