import pc from "picocolors";

/** Visible width of a text that may carry colours. */
const ANSI = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");
const width = (text: string) => text.replaceAll(ANSI, "").length;

/** Lines of a table with aligned columns; numbers (`right`) to the right. */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths = head.map((name, i) => Math.max(width(name), ...rows.map((row) => width(row[i] ?? ""))));
  const line = (cells: readonly string[]) =>
    widths
      .map((w, i) => {
        const cell = cells[i] ?? "";
        const pad = " ".repeat(Math.max(0, w - width(cell)));
        return right.includes(i) ? pad + cell : cell + pad;
      })
      .join("  ")
      .trimEnd();
  return [pc.dim(line(head)), ...rows.map(line)];
}
