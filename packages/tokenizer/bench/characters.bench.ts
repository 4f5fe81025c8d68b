/**
 * BPE over characters, as Llama-family files have it: `pnpm --filter @espalier/tokenizer bench:characters [tokenizer.json]`.
 * Without a file, one is made: 32,000 tokens trained on the English and Chinese pages, as characters, with tokens of bytes.
 *
 * Documents once, each encoder fresh and taking its turn in five runs; medians with the range, MB of UTF-8 a second, one
 * thread. Ids are compared first: the encoders' with each other, and Hugging Face's on the same documents.
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { Tokenizer as HuggingFace } from "tokenizers";
import { splitsOf } from "../src/formats/huggingFace/splits.ts";
import { readHuggingFaceTokenizer, trainTokenizer } from "../src/index.ts";
import { corpus, median, seconds, spread, textsOf } from "./measure.ts";

const RUNS = 5;
const SAMPLE_BYTES = 1e6; // what TypeScript and the rival do in a second
const kinds = ["auto", "wasm", "typescript"] as const;

/** A file of the Llama family from a vocabulary of bytes: tokens and merges that are text, spaces as `▁`. */
function madeFile(texts: readonly string[]): string {
  const { ranks } = trainTokenizer(texts.map((text) => Buffer.from(text)), { vocabSize: 32_000, pattern: "gpt2" });
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const tokens = Array.from(splitsOf(ranks, "made"), (_, rank) => {
    try {
      return decoder.decode(ranks.bytes.subarray(ranks.offsets[rank], ranks.offsets[rank + 1])).replaceAll(" ", "▁");
    } catch {
      return undefined;
    }
  });
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const vocab = new Set(["<unk>", "<s>", "</s>", ...bytes, "▁", ...tokens.filter((token) => token !== undefined)]);
  const merges = splitsOf(ranks, "made").flatMap((split) => {
    const pair = split?.map((rank) => tokens[rank]);
    return pair?.every((token) => token !== undefined) ? [pair] : [];
  });
  const normalizers = [{ type: "Prepend", prepend: "▁" }, { type: "Replace", pattern: { String: " " }, content: "▁" }];
  return JSON.stringify({
    version: "1.0", truncation: null, padding: null, added_tokens: [], pre_tokenizer: null, post_processor: null, decoder: null,
    normalizer: { type: "Sequence", normalizers },
    model: { type: "BPE", dropout: null, unk_token: "<unk>", continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: true, byte_fallback: true, ignore_merges: false, vocab: Object.fromEntries([...vocab].map((token, id) => [token, id])), merges },
  });
}

const pages = ["en-docs", "zh-docs"].map((name) => ({ name, texts: textsOf(new URL(`${name}.jsonl.gz`, corpus)) }));
const [path] = process.argv.slice(2);
const json = path === undefined ? madeFile(pages.flatMap(({ texts }) => texts)) : readFileSync(path, "utf8");
const file = path ?? "made";
const huggingFace = HuggingFace.fromString(json);
console.log(`${cpus()[0]!.model}, Node ${process.version}, ${RUNS} interleaved runs, median (range), MB/s; ${file}, ${readHuggingFaceTokenizer(json, file).vocabSize} tokens`);
console.log(`read and ready: ${kinds.map((encoder) => `${encoder} ${(seconds(() => readHuggingFaceTokenizer(json, file, { encoder }).encode("a")) * 1000).toFixed(0)} ms`).join(", ")}`);

for (const { name, texts: all } of pages) {
  const step = Math.max(1, Math.round(all.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / SAMPLE_BYTES));
  const texts = all.filter((_, i) => i % step === 0);
  const megabytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
  const reference = readHuggingFaceTokenizer(json, file, { encoder: "typescript" });
  const equal = (a: ArrayLike<number>, b: ArrayLike<number>) => a.length === b.length && Array.prototype.every.call(a, (id, i) => id === b[i]);
  for (const encoder of ["auto", "wasm"] as const) {
    const core = readHuggingFaceTokenizer(json, file, { encoder });
    if (core.encoder === "typescript") throw new Error("the core does not do this file");
    if (!texts.every((text) => equal(core.encode(text), reference.encode(text)))) throw new Error(`${name}: the ids of ${core.encoder} differ from the reference's`);
  }
  const samples = texts.slice(0, 20);
  const theirs = await Promise.all(samples.map(async (text) => (await huggingFace.encode(text, undefined, { addSpecialTokens: false })).getIds()));
  const different = samples.filter((text, i) => !equal(theirs[i]!, reference.encode(text))).length;

  const speeds: Record<string, number[]> = {};
  const add = (what: string, elapsed: number, size = megabytes) => (speeds[what] ??= []).push(size / elapsed);
  for (let run = 0; run < RUNS; run++) {
    for (const encoder of kinds) {
      const fresh = readHuggingFaceTokenizer(json, file, { encoder });
      add(fresh.encoder, seconds(() => texts.forEach((text) => fresh.encode(text))));
    }
    const start = performance.now();
    for (const text of samples) await huggingFace.encode(text);
    add("tokenizers 0.23.2", (performance.now() - start) / 1000, samples.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6);
  }
  console.log(`${name}, ${texts.length} documents, ${megabytes.toFixed(1)} MB${different > 0 ? `; tokenizers gives other ids for ${different} of ${samples.length}` : ""}`);
  const slow = median(speeds["typescript"]!);
  for (const [what, values] of Object.entries(speeds)) console.log(`  ${what.padEnd(18)} ${spread(values).padEnd(24)} ${(median(values) / slow).toFixed(1)} times TypeScript`);
}
