import { describe, expect, it } from "vitest";
import { paperIqTables, printedAverages } from "./iqTables.ts";

const { cells, differences } = paperIqTables();

describe("paperIqTables", () => {
  it("reproduces every printed score to its last digit from whole counts", () => {
    expect(cells).toHaveLength(4 * 3 + 4 * 2 + 9 * 3);
    for (const { correct, items, printed, task, model } of cells) {
      expect(Math.abs((100 * correct) / items - printed), `${task}, ${model}`).toBeLessThanOrEqual(0.005 + 1e-9);
    }
  });

  it("reproduces the printed averages from the printed scores", () => {
    for (const { table, model, average } of printedAverages()) {
      const column = cells.filter((cell) => cell.table === table && cell.model === model);
      expect(Math.abs(column.reduce((sum, cell) => sum + cell.printed, 0) / column.length - average), `${table}, ${model}`).toBeLessThan(0.006);
    }
  });

  it("tests each task and each average against each rival once", () => {
    expect(differences.filter(({ task }) => task !== "average")).toHaveLength(4 * 2 + 4 + 9 * 2);
    expect(differences.filter(({ task }) => task === "average")).toHaveLength(9);
  });

  it("finds that the lead over GLM-130B in replacing words is real and the lead in counting is not", () => {
    const find = (task: string, rival: string) => differences.find((row) => row.task === task && row.rival === rival)!;
    expect(find("Replace-Word", "GLM-130B")).toMatchObject({ survives: true });
    expect(find("Counting", "GLM-130B")).toMatchObject({ survives: false });
    expect(find("RTE", "GPT-3")).toMatchObject({ difference: 0, pValue: expect.closeTo(1, 9), survives: false });
  });

  it("finds that no score of symbolic mapping can be told from naming a symbol at random", () => {
    const guessable = cells.filter(({ chance }) => chance !== null);
    expect(guessable).toHaveLength(4 * 3 + 4 * 2);
    for (const { atFloor, interval, chance, task, model } of guessable) {
      expect(chance, task).toBe(task === "OCNLI" ? 1 / 3 : 1 / 2);
      expect(atFloor, `${task}, ${model}: ${interval.join(" to ")}`).toBe(true);
    }
    expect(cells.filter(({ chance, atFloor }) => chance === null && atFloor)).toEqual([]);
  });

  it("says what 300 items could show: about 11 points in the middle, less near the end", () => {
    const show = (task: string) => differences.find((row) => row.task === task && row.rival === "GLM-130B")!.minimumDetectableDifference;
    expect(show("WiC")).toBeCloseTo(2.80158522 * Math.sqrt((146 * 154 + 151 * 149) / 300 ** 3), 6);
    expect(show("Replace-Word")).toBeLessThan(0.07);
  });

  it("never calls a difference proven that its plain interval does not support", () => {
    for (const { survives, interval, adjustedPValue, pValue } of differences) {
      expect(adjustedPValue).toBeGreaterThanOrEqual(pValue);
      if (survives) expect(interval[0] > 0 || interval[1] < 0).toBe(true);
    }
  });
});
