import pc from "picocolors";

/** Visible width of a text that may carry colours. */
const ANSI = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");
const width = (text: string) => text.replaceAll(ANSI, "").length;

const GAP = "  ";
const NARROWEST_LAST = 24;

/**
 * Lines of a table with aligned columns; numbers (`right`) to the right.
 *
 * @param columns width of a terminal: words of the last column that would stand behind it go on below
 */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = [], columns = Infinity): string[] {
  const widths = head.map((name, i) => Math.max(width(name), ...rows.map((row) => width(row[i] ?? ""))));
  const last = head.length - 1;
  const room = Math.max(NARROWEST_LAST, columns - widths.slice(0, last).reduce((sum, w) => sum + w + GAP.length, 0));
  const line = (cells: readonly string[]) =>
    widths
      .map((w, i) => {
        const cell = cells[i] ?? "";
        const pad = " ".repeat(Math.max(0, w - width(cell)));
        return right.includes(i) ? pad + cell : cell + pad;
      })
      .join(GAP)
      .trimEnd();
  const below = (cells: readonly string[]) => wrapped(cells[last] ?? "", room).map((text, i) => line([...(i === 0 ? cells.slice(0, last) : cells.slice(0, last).map(() => "")), text]));
  return [pc.dim(line(head)), ...rows.flatMap((row) => (width(row[last] ?? "") > room ? below(row) : [line(row)]))];
}

/** A text cut between words into lines of at most `room` characters, where its words allow. */
function wrapped(text: string, room: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const open = lines.at(-1);
    if (open !== undefined && width(open) + 1 + width(word) <= room) lines[lines.length - 1] = `${open} ${word}`;
    else lines.push(word);
  }
  return lines;
}
