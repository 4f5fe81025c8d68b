/**
 * Encoding and training speed on one thread: `pnpm --filter @espalier/tokenizer bench [file.jsonl.gz ...]`.
 *
 * Rows alternate between ours and the rivals; ids are compared before anything is timed. "First" is a fresh tokeniser
 * on text it has not seen, what a corpus run gets; "warm" the same documents again. Medians of RUNS, MB of UTF-8 a second.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { encode as gptTokenizer } from "gpt-tokenizer/encoding/cl100k_base";
import { get_encoding } from "tiktoken";
import { cl100kFromRanks, createPieceCounts, trainTokenizer } from "../src/index.ts";

const RUNS = 5;
const asset = gunzipSync(readFileSync(new URL("../assets/cl100k_base.ranks.gz", import.meta.url)));
const corpus = new URL("../../../../shared/data/corpus/", import.meta.url);
const named = process.argv.slice(2);
const files = named.length > 0 ? named : ["en-docs", "code", "zh-docs"].map((name) => new URL(`${name}.jsonl.gz`, corpus));
const tiktoken = get_encoding("cl100k_base");

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const seconds = (work: () => void) => {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
};

for (const file of files) {
  const texts = gunzipSync(readFileSync(file)).toString("utf8").trim().split("\n").map((line) => (JSON.parse(line) as { text: string }).text);
  const documents = texts.map((text) => new TextEncoder().encode(text));
  const megabytes = documents.reduce((sum, { length }) => sum + length, 0) / 1e6;
  const sample = texts.slice(0, Math.ceil(texts.length / Math.max(1, megabytes / 2))); // rivals: about 2 MB
  const sampleMegabytes = sample.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
  for (const text of sample.slice(0, 50)) {
    if (cl100kFromRanks(asset).encode(text).join() !== tiktoken.encode_ordinary(text).join()) throw new Error(`${String(file)}: ids differ from tiktoken's`);
  }

  const speeds: Record<string, number[]> = { first: [], warm: [], tiktoken: [], "gpt-tokenizer": [] };
  for (let run = 0; run < RUNS; run++) {
    const tokenizer = cl100kFromRanks(asset);
    const all = () => documents.forEach((document) => tokenizer.encode(document));
    speeds["first"]!.push(megabytes / seconds(all));
    speeds["warm"]!.push(megabytes / seconds(all));
    speeds["tiktoken"]!.push(sampleMegabytes / seconds(() => sample.forEach((text) => tiktoken.encode_ordinary(text))));
    speeds["gpt-tokenizer"]!.push(sampleMegabytes / seconds(() => sample.forEach((text) => gptTokenizer(text))));
  }
  const row = Object.entries(speeds).map(([name, values]) => `${name} ${median(values).toFixed(1)}`);
  console.log(`${String(file).split("/").at(-1)} ${megabytes.toFixed(1)} MB, cl100k MB/s: ${row.join(", ")}`);

  for (const vocabSize of [1024, 2048, 4096]) {
    const counts = createPieceCounts();
    const counting = seconds(() => documents.forEach((document) => counts.add(document)));
    let tokenizer = trainTokenizer([], { vocabSize: 257 });
    const training = seconds(() => (tokenizer = trainTokenizer(counts, { vocabSize })));
    let numTokens = 0;
    const encoding = seconds(() => documents.forEach((document) => (numTokens += tokenizer.encode(document).length)));
    console.log(
      `  V ${vocabSize}: counted ${counting.toFixed(2)} s, trained ${training.toFixed(2)} s, encoded ${(megabytes / encoding).toFixed(1)} MB/s, ${((megabytes * 1e6) / numTokens).toFixed(3)} bytes/token`,
    );
  }
}
