/**
 * What a tokeniser from a file is called: the file's last name, or its directory's where all files are called alike. Where on a
 * machine it lay is nothing that a corpus should record.
 */
export function nameOfFile(where: string): string {
  const names = where.split(/[\\/]/).filter((name) => name !== "" && name !== "." && name !== "..");
  const last = names.at(-1) ?? where;
  return last === "tokenizer.json" ? (names.at(-2) ?? last) : last;
}
