import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { FileError } from "@espalier/core";
import type { BatchOptions, RawRecord } from "./batches.ts";
import type { CorpusFile } from "./files.ts";
import type { ParquetAnswer, ParquetRequest } from "./parquetWorker.ts";

/** Rows at a time: pages of the text column alone are read and held. */
const ROWS = 1000;
/** A range of rows takes milliseconds; a damaged one can keep the decoder busy for ever, so it runs where it can be ended. */
const DEADLINE_MS = 60_000;
/** Of the decoder's heap: damaged lengths cannot take the machine's memory. */
const HEAP_MB = 4096;

/**
 * Rows of a Parquet file with a text in column `textField`, read by ranges of the file on a thread of its own; rows without
 * one are malformed.
 *
 * @throws {FileError} when the file is cut short or damaged, has no such column of text, or keeps the decoder busy for a minute
 */
export async function* parquetRecords(file: CorpusFile, { textField, onBytes, onDamaged, deadlineMs = DEADLINE_MS }: BatchOptions): AsyncGenerator<RawRecord> {
  const thread = startThread(file, textField, deadlineMs);
  let told = 0;
  const tell = (bytes: number) => {
    onBytes?.(bytes - told);
    told = bytes;
  };
  try {
    const { numRows } = (await thread.answer()) as { numRows: number };
    for (let rowStart = 0; rowStart < numRows; ) {
      const rowEnd = Math.min(numRows, rowStart + ROWS);
      let rows: Exclude<ParquetAnswer, { numRows: number } | { failed: string }>;
      try {
        rows = (await thread.answer([rowStart, rowEnd])) as typeof rows;
      } catch (error) {
        if (!onDamaged || !(error instanceof FileError)) throw error;
        return onDamaged(error.message);
      }
      for (const [i, end] of rows.ends.entries()) {
        const number = rowStart + i + 1;
        if (rows.isText[i]) yield { bytes: rows.bytes.subarray(rows.ends[i - 1] ?? 0, end), number };
        else yield { malformed: `no text in column ${JSON.stringify(textField)}`, number };
      }
      rowStart = rowEnd;
      tell(Math.floor((file.bytes * rowStart) / numRows));
    }
    tell(file.bytes);
  } finally {
    await thread.end();
  }
}

function startThread(file: CorpusFile, textField: string, deadlineMs: number) {
  const workerData: ParquetRequest = { file, textField };
  const worker = new Worker(pathToFileURL(createRequire(import.meta.url).resolve("#parquet-worker")), { workerData, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
  const answers: (ParquetAnswer | { failed: string })[] = [];
  let wake = () => {};
  const got = (answer: (typeof answers)[number]) => {
    answers.push(answer);
    wake();
  };
  const failed = (what: string) => got({ failed: `reading ${file.path}: ${what}, expected a whole Parquet file. Copy or download it again.` });
  worker.on("message", got);
  worker.on("error", (error: Error) => failed(error.message));
  worker.on("exit", () => failed("the decoder ended early"));
  return {
    /** The next answer, to a range of rows if one is given; throws `FileError`. */
    async answer(range?: [number, number]): Promise<ParquetAnswer> {
      if (range) worker.postMessage(range);
      const timer = setTimeout(() => failed(`its decoder was busy for ${deadlineMs / 1000} s`), deadlineMs);
      if (answers.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      clearTimeout(timer);
      const answer = answers.shift()!;
      if ("failed" in answer) throw new FileError(answer.failed);
      return answer;
    },
    end: () => worker.terminate(),
  };
}
