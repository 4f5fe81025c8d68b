import { describe, expect, it } from "vitest";
import { tableLines, TOGETHER } from "./table.ts";

const head = ["name", "n", "what"];
const rows = [
  ["a", "10", "short"],
  ["longer", "7", "a text that is too long for a narrow window"],
];
/** Colours off, whatever the terminal. */
const plain = (lines: string[]) => lines.map((line) => line.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g"), ""));

describe("tableLines", () => {
  it("aligns columns, numbers to the right", () => {
    expect(plain(tableLines(head, rows, [1]))).toEqual(["name     n  what", "a       10  short", "longer   7  a text that is too long for a narrow window"]);
  });

  it("wraps the last column between words within a terminal's width", () => {
    const lines = plain(tableLines(head, rows, [1], 40));
    expect(lines).toEqual(["name     n  what", "a       10  short", "longer   7  a text that is too long for", "            a narrow window"]);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
  });

  it("narrows the widest texts first, headings of numbers too, and cuts no word", () => {
    const lines = plain(tableLines(["task", "files", "number of items", "licence"], [["counting", "one.jsonl, another.jsonl", "10", "CC BY 4.0"], ["b", "c.jsonl", "7", "MIT"]], [2], 40));
    expect(lines).toEqual([
      "task      files          number  licence",
      "                             of",
      "                          items",
      "counting  one.jsonl,         10  CC BY",
      "          another.jsonl          4.0",
      "b         c.jsonl             7  MIT",
    ]);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
    expect(plain(tableLines(head, rows, [1], 5))).toContain("longer   7  a text");
    expect(plain(tableLines(["a", "shapes"], [["x", ["L1", "C16 L4", "C32"].join(TOGETHER)]], [], 10))).toEqual(["a  shapes", "x  L1 C16", "   L4 C32"]);
  });
});
