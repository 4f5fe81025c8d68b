import { parentPort, workerData } from "node:worker_threads";
import type { CorpusFile } from "./files.ts";
import { openParquetTexts } from "./parquetFile.ts";

/** What the thread is started with. */
export interface ParquetRequest {
  file: CorpusFile;
  textField: string;
}

/** First the number of rows; then, for each range asked for, its texts end to end. */
export type ParquetAnswer = { numRows: number } | { bytes: Uint8Array<ArrayBuffer>; ends: Float64Array; isText: Uint8Array } | { failed: string };

const port = parentPort!;
const { file, textField } = workerData as ParquetRequest;

function answer(message: ParquetAnswer): void {
  port.postMessage(message, "bytes" in message ? [message.bytes.buffer] : []);
}

try {
  const opened = await openParquetTexts(file, textField);
  port.on("message", ([rowStart, rowEnd]: [number, number]) => {
    opened
      .texts(rowStart, rowEnd)
      .then((texts) => {
        const ends = new Float64Array(texts.length);
        let size = 0;
        for (const [i, text] of texts.entries()) ends[i] = size += text?.length ?? 0;
        const bytes = new Uint8Array(size);
        for (const [i, text] of texts.entries()) if (text) bytes.set(text, ends[i]! - text.length);
        answer({ bytes, ends, isText: Uint8Array.from(texts, (text) => (text ? 1 : 0)) });
      })
      .catch((error: unknown) => answer({ failed: (error as Error).message }));
  });
  answer({ numRows: opened.numRows });
} catch (error) {
  answer({ failed: (error as Error).message });
}
