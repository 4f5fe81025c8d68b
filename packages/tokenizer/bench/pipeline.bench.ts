/**
 * `.jsonl.gz` to shards beside its two parts alone: `node bench/pipeline.bench.ts [directory with .jsonl.gz]`, with the built
 * package, as users install it.
 *
 * Decompression alone drains the same files through the same reader; encoding alone encodes the same texts, taken out
 * beforehand, on one thread. The pipeline reads, decompresses, takes the JSON apart, hashes, drops copies, splits, encodes
 * on `WORKERS` threads (default: the cores), writes and syncs: all that `espalier tokenize --tokenizer cl100k` does. Rates are
 * of UTF-8 text; medians of interleaved runs with the range; the share is of the slower part of the same run.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { cl100k, listCorpusFiles, prepareCorpus } from "@espalier/tokenizer/node";
import { contentOf } from "../src/node/read/content.ts";
import { ours } from "./ours.ts";
import { corpus, median, seconds, spread } from "./measure.ts";

const RUNS = Number(process.env.RUNS ?? 5);
/** What the command line takes on a machine of as many cores. */
const WORKERS = Number(process.env.WORKERS ?? availableParallelism());
/** Copies of the corpus, each with a number before every text, so that none is dropped as a copy of another. */
const COPIES = 2;

const source = process.argv[2] ?? fileURLToPath(corpus);
const directory = mkdtempSync(join(tmpdir(), "espalier-bench-"));
try {
  const texts: Uint8Array[] = [];
  for (const { path, name } of (await listCorpusFiles([source])).filter(({ compression }) => compression === "gzip")) {
    const lines = gunzipSync(readFileSync(path)).toString("utf8").trim().split("\n").map((line) => (JSON.parse(line) as { text: string }).text);
    for (let copy = 0; copy < COPIES; copy++) {
      const numbered = lines.map((text) => `${copy} ${text}`);
      for (const text of numbered) texts.push(Buffer.from(text));
      writeFileSync(join(directory, `${copy}-${name.replaceAll("/", "-")}`), gzipSync(numbered.map((text) => JSON.stringify({ text })).join("\n"), { level: 6 }));
    }
  }
  const files = await listCorpusFiles([directory]);
  const megabytes = texts.reduce((sum, { length }) => sum + length, 0) / 1e6;
  const stored = files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
  console.log(`${texts.length} documents, ${megabytes.toFixed(1)} MB of text in ${files.length} files of ${stored.toFixed(1)} MB; ${WORKERS} workers on ${availableParallelism()} cores; encoder: ${cl100k().encoder}`);

  const rates = { decompress: [] as number[], encode: [] as number[], whole: [] as number[] };
  const shares: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const decompress = megabytes / (await secondsOf(() => drain(files)));
    const tokenizer = ours("auto");
    const encode = megabytes / seconds(() => texts.forEach((text) => tokenizer.encode(text)));
    const out = join(directory, `out${run}`);
    const whole = megabytes / (await secondsOf(() => prepareCorpus({ inputs: files.map(({ path }) => path), directory: out, tokenizer: cl100k(), workers: WORKERS })));
    rmSync(out, { recursive: true });
    rates.decompress.push(decompress);
    rates.encode.push(encode);
    rates.whole.push(whole);
    shares.push((100 * whole) / Math.min(decompress, encode));
  }
  console.log(`decompression alone ${spread(rates.decompress)} MB/s, encoding alone ${spread(rates.encode)} MB/s, together ${spread(rates.whole)} MB/s`);
  console.log(`the pipeline at ${spread(shares)} % of the slower part; bar 80 %: ${median(shares) >= 80 ? "met" : "NOT met"}`);
} finally {
  rmSync(directory, { recursive: true });
}

async function drain(files: Awaited<ReturnType<typeof listCorpusFiles>>): Promise<void> {
  for (const file of files) {
    for await (const chunk of contentOf(file, { reuse: true })) if (chunk.length === 0) throw new Error("an empty chunk");
  }
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
