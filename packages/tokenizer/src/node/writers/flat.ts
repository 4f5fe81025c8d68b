import { gzipSync } from "node:zlib";
import { disk } from "@espalier/core/node";
import { type ByteSink, idBytes, idWidth, u64Bytes, writeStreamed } from "./tokenStream.ts";
import type { TokenDocuments, WriteTokensOptions, WrittenFile } from "./types.ts";

/**
 * `<stem>.bin` as nanoGPT reads it: ids and nothing else, 16 bits each, or 32 for vocabularies above 65536 (then its
 * `np.uint16` must become `np.uint32`). Its scripts end each document with the separator.
 *
 * @see nanoGPT, `data/openwebtext/prepare.py`
 */
export async function writeNanoGpt(stem: string, documents: TokenDocuments, { vocabSize, fileSystem = disk }: WriteTokensOptions): Promise<WrittenFile[]> {
  const width = idWidth(vocabSize);
  return [
    await writeStreamed(`${stem}.bin`, fileSystem, async (sink) => {
      for await (const { ids } of documents) await sink.write(idBytes(ids, width, vocabSize));
    }),
  ];
}

/**
 * `<stem>.ds` and `<stem>.ds.index` as datatrove and nanotron read them: ids of 16 or 32 bits, and where each document
 * ends, in tokens, as unsigned 64-bit numbers without a header.
 *
 * @see datatrove, `pipeline/tokens/tokenizer.py`, `TokenizedFile`
 */
export async function writeDatatrove(stem: string, documents: TokenDocuments, { vocabSize, fileSystem = disk }: WriteTokensOptions): Promise<WrittenFile[]> {
  const width = idWidth(vocabSize);
  let end = 0;
  return await writePair(`${stem}.ds`, `${stem}.ds.index`, fileSystem, async (tokens, index) => {
    for await (const { ids } of documents) {
      await tokens.write(idBytes(ids, width, vocabSize));
      end += ids.length;
      await index.write(u64Bytes(end));
    }
  });
}

/** Rows of the side file compressed at a time; each is a gzip member of its own, which every reader joins. */
const ROWS = 4096;

/**
 * `<stem>.npy` and `<stem>.csv.gz` as OLMo reads them: ids of 16 or 32 bits without any NumPy header, and a row
 * `start,end,id,src,loc` for each document, positions in tokens.
 *
 * @see Dolma, `dolma/tokenizer/executor.py`
 */
export async function writeOlmo(stem: string, documents: TokenDocuments, { vocabSize, fileSystem = disk }: WriteTokensOptions): Promise<WrittenFile[]> {
  const width = idWidth(vocabSize);
  return await writePair(`${stem}.npy`, `${stem}.csv.gz`, fileSystem, async (tokens, side) => {
    let rows: string[] = [];
    let start = 0;
    let number = 0;
    const flush = async () => {
      if (rows.length > 0) await side.write(gzipSync(rows.join("")));
      rows = [];
    };
    for await (const { ids, source = "" } of documents) {
      await tokens.write(idBytes(ids, width, vocabSize));
      const [, file, line] = /^(.*?)(?::(\d+))?$/s.exec(source)!;
      rows.push(`${start},${start + ids.length},${number},${quoted(file!)},${line ?? number}\n`);
      start += ids.length;
      number++;
      if (rows.length === ROWS) await flush();
    }
    await flush();
  });
}

const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Two files filled side by side; the second appears last. */
async function writePair(
  first: string,
  second: string,
  fileSystem: NonNullable<WriteTokensOptions["fileSystem"]>,
  fill: (first: ByteSink, second: ByteSink) => Promise<void>,
): Promise<WrittenFile[]> {
  let inner!: WrittenFile;
  const outer = await writeStreamed(second, fileSystem, async (secondSink) => {
    inner = await writeStreamed(first, fileSystem, (firstSink) => fill(firstSink, secondSink));
  });
  return [inner, outer];
}
