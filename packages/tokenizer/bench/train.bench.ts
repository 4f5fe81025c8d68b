/** Training speed on one thread: `node --conditions=@espalier/source bench/train.bench.ts [file.jsonl.gz ...]`. */
import { createPieceCounts, trainTokenizer } from "../src/index.ts";
import { corpus, seconds, textsOf } from "./measure.ts";

const named = process.argv.slice(2);
const files = named.length > 0 ? named : ["en-docs", "code", "zh-docs"].map((name) => new URL(`${name}.jsonl.gz`, corpus));
for (const file of files) {
  const documents = textsOf(file).map((text) => new TextEncoder().encode(text));
  const megabytes = documents.reduce((sum, { length }) => sum + length, 0) / 1e6;
  console.log(`${String(file).split("/").at(-1)} ${megabytes.toFixed(1)} MB`);
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
