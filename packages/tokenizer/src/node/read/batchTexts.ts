import { nativeTextsOfLines } from "#native";
import type { Batch } from "./batches.ts";
import { documentsOf } from "./documents.ts";
import { jsonText, MalformedLine } from "./jsonText.ts";

/** Texts of a batch that are not blank, end to end; valid UTF-8. */
export interface BatchTexts {
  /** Longer than the texts; the next call may write into the same memory. */
  bytes: Uint8Array;
  /** Where each text ends `[documents]`. */
  ends: Uint32Array;
  /** Line, row or record of each `[documents]`; of JSONL from the batch's first line on. */
  numbers: Uint32Array;
  /** Hash that decides the split of a document, where it is not its own `[documents]`. */
  splitKeys?: (string | undefined)[];
  /** Of JSONL. */
  numLines: number;
  /** In their order. */
  malformed: { number: number; reason: () => string }[];
}

/** What finds the texts of batches, one batch after another. */
export type ReadTexts = (batch: Pick<Batch, "bytes" | "records">) => BatchTexts;

/**
 * The texts that `documentsOf` gives, laid end to end: by the addon from the bytes of JSON lines, else by `documentsOf`
 * itself, which is what the addon is judged against.
 *
 * @param way  `auto` takes the addon where it is built
 */
export function batchTextsReader(textField: Uint8Array, way: "auto" | "typescript" = "auto"): ReadTexts {
  let room = Buffer.alloc(0);
  const roomFor = (length: number): Uint8Array => (room.length >= length ? room : (room = Buffer.allocUnsafeSlow(length)));
  return (batch) => {
    if (batch.records || way === "typescript") return collected(batch, textField);
    const { bytes } = batch;
    const out = roomFor(3 * bytes.length + SLACK);
    const found = nativeTextsOfLines(bytes, textField, out);
    if (!found) return collected(batch, textField);
    const [numLines, ends, numbers, malformed] = found;
    return { bytes: out, ends, numbers, numLines, malformed: malformedLines(malformed, bytes, textField) };
  };
}

/** Room that the addon wants behind three bytes for each. */
const SLACK = 64;

/** Of lines without a text, as the addon gives them, why they have none. */
export function malformedLines(lines: Uint32Array, bytes: Uint8Array, textField: Uint8Array): BatchTexts["malformed"] {
  return Array.from({ length: lines.length / 3 }, (_, i) => ({
    number: lines[3 * i]!,
    reason: () => reasonOf(bytes.subarray(lines[3 * i + 1]!, lines[3 * i + 2]!), textField),
  }));
}

function reasonOf(line: Uint8Array, textField: Uint8Array): string {
  try {
    jsonText(line, textField);
  } catch (error) {
    if (error instanceof MalformedLine) return error.message;
    throw error;
  }
  throw new Error(`the addon finds no text in ${JSON.stringify(Buffer.from(line.subarray(0, 200)).toString())}, jsonText does`);
}

function collected(batch: Pick<Batch, "bytes" | "records">, textField: Uint8Array): BatchTexts {
  const malformed: BatchTexts["malformed"] = [];
  const texts: Uint8Array[] = [];
  const ends: number[] = [];
  const numbers: number[] = [];
  const splitKeys: (string | undefined)[] = [];
  let size = 0;
  const documents = documentsOf(batch, textField, (number, reason) => malformed.push({ number, reason: () => reason }));
  let next = documents.next();
  for (; !next.done; next = documents.next()) {
    const { bytes, number, splitKey } = next.value;
    texts.push(bytes);
    ends.push((size += bytes.length));
    numbers.push(number);
    splitKeys.push(splitKey);
  }
  return { bytes: Buffer.concat(texts, size), ends: Uint32Array.from(ends), numbers: Uint32Array.from(numbers), splitKeys, numLines: next.value, malformed };
}
