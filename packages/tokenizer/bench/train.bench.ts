/**
 * Training beside Hugging Face's trainer: `node --conditions=@espalier/source bench/train.bench.ts [corpus or file.jsonl.gz ...]`.
 *
 * Both read the same text file and train on its lines, as many merges as theirs makes of its 30,000 tokens; three
 * interleaved runs, medians with the range. Ours is one thread, theirs all cores. The merges are compared one by one.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPieceCounts, type PatternName, trainTokenizer } from "../src/index.ts";
import { bytesToCharacters } from "../src/formats/huggingFace/byteCharacters.ts";
import { splitsOf } from "../src/formats/huggingFace/splits.ts";
import { type HuggingFaceTraining, trainHuggingFace } from "./huggingFace.ts";
import { corpus, median, seconds, spread, textsOf } from "./measure.ts";

const RUNS = 3;
const PATTERN: PatternName = "cl100k";
const named = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), "espalier-bench-"));
try {
  for (const name of named.length > 0 ? named : ["en-docs", "zh-docs"]) {
    const file = join(directory, "corpus.txt");
    writeFileSync(file, textsOf(name.includes(".") ? name : new URL(`${name}.jsonl.gz`, corpus)).join("\n"));
    const megabytes = readFileSync(file).length / 1e6;
    let theirs: HuggingFaceTraining | undefined;
    let tokenizer = trainTokenizer([], { vocabSize: 257 });
    const speed = { ours: [] as number[], theirs: [] as number[] };
    for (let run = 0; run < RUNS; run++) {
      let result = (): HuggingFaceTraining => ({ merges: [], alphabetSize: 0 });
      speed.theirs.push(seconds(() => (result = trainHuggingFace(file, PATTERN))));
      theirs ??= result();
      const vocabSize = 256 + 30_000 - theirs.alphabetSize;
      speed.ours.push(seconds(() => (tokenizer = trainLines(file, vocabSize))));
    }
    const ours = mergesOf(tokenizer);
    // A pair whose token is there already is a merge of theirs, but no new token.
    const spelled = new Set<string>();
    const expected = theirs!.merges.filter((pair) => !spelled.has(pair.join("")) && spelled.add(pair.join("")));
    const difference = expected.findIndex((pair, i) => pair.join(" ") !== ours[i]?.join(" "));
    console.log(
      `${name}, ${megabytes.toFixed(1)} MB: ours ${spread(speed.ours, 2)} s, Hugging Face ${spread(speed.theirs, 2)} s, ` +
        `${(median(speed.theirs) / median(speed.ours)).toFixed(2)} times as fast; ` +
        (difference < 0 && ours.length === expected.length ? `the same ${ours.length} merges` : `DIFFERENT merges from ${difference} on (${ours.length}, ${expected.length})`),
    );
  }
} finally {
  rmSync(directory, { recursive: true });
}

function trainLines(file: string, vocabSize: number) {
  const text = readFileSync(file);
  const counts = createPieceCounts(PATTERN);
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf(10, start);
    const end = newline < 0 ? text.length : newline + 1;
    counts.add(text.subarray(start, end));
    start = end;
  }
  return trainTokenizer(counts, { vocabSize, minFrequency: 1, maxTokenBytes: 2 ** 32 - 1, specialTokens: [] });
}

/** The pair of every learned token, as printable characters. */
function mergesOf({ ranks }: ReturnType<typeof trainLines>): [string, string][] {
  const text = (rank: number) => bytesToCharacters(ranks.bytes.subarray(ranks.offsets[rank]!, ranks.offsets[rank + 1]!));
  return splitsOf(ranks, "trained").slice(256).map((split) => [text(split![0]), text(split![1])]);
}
