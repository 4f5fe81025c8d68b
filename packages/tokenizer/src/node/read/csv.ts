import { FileError } from "@espalier/core";
import type { BatchOptions, RawRecord } from "./batches.ts";
import { contentOf } from "./content.ts";
import type { CorpusFile } from "./files.ts";
import { validUtf8 } from "./text.ts";

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/**
 * Rows of a CSV file (RFC 4180: quoted fields hold separators, line ends and doubled quotes), or of a TSV file. The first
 * row names the columns; the text is the column `textField`. A row with another number of fields is malformed.
 *
 * @throws {FileError} when there is no such column
 */
export async function* csvRecords(file: CorpusFile, options: BatchOptions): AsyncGenerator<RawRecord> {
  let column = -1;
  let width = 0;
  let number = 0;
  for await (const { fields, isOpen } of rows(file, options)) {
    number++;
    if (number === 1) {
      column = fields.findIndex((field) => field.toString("utf8").trim() === options.textField);
      width = fields.length;
      if (column < 0) {
        throw new FileError(`reading ${file.path}: the first row names no column ${JSON.stringify(options.textField)}, it has ${fields.map((field) => field.toString("utf8")).join(", ").slice(0, 200)}. Name the column of text.`);
      }
    } else if (isOpen) yield { malformed: "a quoted field does not end", number };
    else if (fields.length !== width) yield { malformed: `${fields.length} fields, expected ${width}`, number };
    else yield { bytes: validUtf8(fields[column]!), number };
  }
}

async function* rows(file: CorpusFile, options: BatchOptions): AsyncGenerator<{ fields: Buffer[]; isOpen: boolean }> {
  const separator = file.separator ?? 0x2c;
  let fields: Buffer[] = [];
  let field = Buffer.allocUnsafeSlow(1 << 12);
  let length = 0;
  let state: "start" | "plain" | "quoted" | "quoteInQuoted" = "start";
  const push = (byte: number) => {
    if (length === field.length) field = Buffer.concat([field], field.length * 2);
    field[length++] = byte;
  };
  const endField = () => {
    fields.push(Buffer.from(field.subarray(0, length)));
    length = 0;
    state = "start";
  };
  const endRow = () => {
    endField();
    const row = fields;
    fields = [];
    return { fields: row, isOpen: false };
  };
  for await (const chunk of contentOf(file, options)) {
    for (const byte of chunk) {
      if (state === "quoted") {
        if (byte === QUOTE) state = "quoteInQuoted";
        else push(byte);
      } else if (byte === QUOTE && state === "quoteInQuoted") {
        push(QUOTE);
        state = "quoted";
      } else if (byte === QUOTE && state === "start") state = "quoted";
      else if (byte === separator) endField();
      else if (byte === LF) {
        if (state === "plain" && field[length - 1] === CR) length--; // CR LF; behind a quote the CR is passed over
        const isBlank = fields.length === 0 && length === 0 && state !== "quoteInQuoted";
        if (isBlank) state = "start";
        else yield endRow();
      } else if (byte === CR && state === "quoteInQuoted") continue;
      else {
        push(byte);
        state = "plain";
      }
    }
  }
  if ((state as string) === "quoted") yield { fields, isOpen: true };
  else if (fields.length > 0 || length > 0 || (state as string) === "quoteInQuoted") {
    if ((state as string) === "plain" && field[length - 1] === CR) length--;
    yield endRow();
  }
}
