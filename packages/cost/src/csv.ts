/** Rows of a CSV text (RFC 4180: quoted cells, doubled quotes, line breaks within quotes), by column name. */
export function parseCsv(text: string): Record<string, string>[] {
  const rows: string[][] = [];
  const row: string[] = [];
  let cell = "";
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const ch = text[i]!;
    if (quoted) {
      if (ch !== '"') cell += ch;
      else if (text[i + 1] === '"') cell += text[i++];
      else quoted = false;
    } else if (ch === '"') quoted = true;
    else if (ch === "," || ch === "\n") {
      row.push(cell);
      cell = "";
      if (ch === "\n") rows.push(row.splice(0));
    } else if (ch !== "\r") cell += ch;
  }
  if (cell || row.length) rows.push([...row, cell]);
  const [head, ...body] = rows;
  if (!head) return [];
  return body.filter((cells) => cells.length > 1 || cells[0] !== "").map((cells) => Object.fromEntries(head.map((name, i) => [name, cells[i] ?? ""])));
}

/** CSV of rows with the same keys; cells with commas, quotes or line breaks are quoted. */
export function writeCsv(rows: readonly Record<string, string | number>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const quote = (cell: string | number) => (/[",\r\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : String(cell));
  return [names, ...rows.map((row) => names.map((name) => row[name]!))].map((cells) => `${cells.map(quote).join(",")}\n`).join("");
}
