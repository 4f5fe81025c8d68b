import pc from "picocolors";
import { visibleWidth, wrapped } from "./wrap.ts";

const GAP = "  ";
/** A space at which no cell is cut; printed as any other. */
export const TOGETHER = "\u00a0";
/** An address in the last column may be longer than this; the columns before it keep their widths. */
const LONGEST_LAST = 24;

/**
 * Lines of a table with aligned columns; numbers (`right`) to the right.
 *
 * @param columns width of the terminal: where the table is wider, texts and headings go on below, the widest columns first,
 *   and no word is cut
 */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = [], columns = terminalColumns()): string[] {
  const widths = columnWidths(head, rows, right, columns);
  const line = (cells: readonly string[]) =>
    widths
      .map((w, i) => {
        const cell = cells[i] ?? "";
        const pad = " ".repeat(Math.max(0, w - visibleWidth(cell)));
        return right.includes(i) ? pad + cell : cell + pad;
      })
      .join(GAP)
      .trimEnd()
      .replaceAll(TOGETHER, " ");
  const lines = (cells: readonly string[]) => {
    const parts = head.map((_, i) => wrapped(cells[i] ?? "", widths[i]!));
    return Array.from({ length: Math.max(...parts.map((part) => part.length)) }, (_, i) => line(parts.map((part) => part[i] ?? "")));
  };
  return [...lines(head).map((text) => pc.dim(text)), ...rows.flatMap(lines)];
}

/** Columns of the terminal that standard output is; without one a line may have any length. */
export const terminalColumns = (): number => (process.stdout.isTTY ? process.stdout.columns : Infinity);

function columnWidths(head: readonly string[], rows: readonly (readonly string[])[], right: readonly number[], columns: number): number[] {
  const longestWord = (text: string) => Math.max(...text.split(" ").map(visibleWidth));
  const widest = (i: number, of: (text: string) => number) => Math.max(0, ...rows.map((row) => of(row[i] ?? "")));
  const widths = head.map((name, i) => Math.max(visibleWidth(name), widest(i, visibleWidth)));
  const least = head.map((name, i) => Math.max(longestWord(name), widest(i, right.includes(i) ? visibleWidth : longestWord)));
  least.push(Math.min(LONGEST_LAST, least.pop()!));
  for (let over = widths.reduce((sum, w) => sum + w + GAP.length, -GAP.length) - columns; over > 0; over--) {
    const shrinking = widths.reduce((best, w, i) => (w > least[i]! && (best < 0 || w > widths[best]!) ? i : best), -1);
    if (shrinking < 0) break;
    widths[shrinking]!--;
  }
  return widths;
}
