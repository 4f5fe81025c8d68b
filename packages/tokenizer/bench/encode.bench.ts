/**
 * cl100k encoding speed on one thread: `pnpm --filter @espalier/tokenizer bench [file.jsonl.gz ...]`.
 *
 * Five runs, in each of which every encoder takes its turn on the same documents, so that a slow minute of the machine
 * is everyone's. "First" is a fresh encoder on text it has not seen, what a corpus run gets; "warm" the same documents
 * again. Medians with the range, MB of UTF-8 a second. Ids are compared with tiktoken's before anything is timed; how
 * many documents a rival gets wrong is shown, and a rival that fails one of the probes is called incorrect.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { gunzipSync } from "node:zlib";
import { random } from "@espalier/core";
import { nativeEncodeCore } from "#native";
import AiTokenizer from "ai-tokenizer";
import * as aiEncoding from "ai-tokenizer/encoding/cl100k_base";
import { clearMergeCache, encode as gptTokenizer } from "gpt-tokenizer/encoding/cl100k_base";
import { get_encoding } from "tiktoken";
import { cl100kFromRanks, createTokenizer, readCompactRanks } from "../src/index.ts";
import { corpus, median, seconds, spread, textsOf } from "./measure.ts";

const RUNS = 5;
const SAMPLE_BYTES = 3e6;
const asset = gunzipSync(readFileSync(new URL("../assets/cl100k_base.ranks.gz", import.meta.url)));
const named = process.argv.slice(2);
const files = named.length > 0 ? named : ["en-docs", "en-books-nonfiction", "zh-docs", "zh-wiki", "code"].map((name) => new URL(`${name}.jsonl.gz`, corpus));
const tiktoken = get_encoding("cl100k_base");

type Ids = ArrayLike<number>;
/** Gives a fresh encoder, that is, one that remembers nothing. */
interface Contender {
  name: string;
  ours: boolean;
  fresh(): (text: string, bytes: Uint8Array) => Ids;
}

const typescript = () => createTokenizer({ name: "cl100k", ranks: readCompactRanks(asset, "cl100k"), specialTokens: new Map(), encoder: "typescript" });
const contenders: Contender[] = [
  { name: "native, bytes", ours: true, fresh: () => bytesOf(cl100kFromRanks(asset)) },
  { name: "native, strings", ours: true, fresh: () => textOf(cl100kFromRanks(asset)) },
  { name: "TypeScript, bytes", ours: true, fresh: () => bytesOf(typescript()) },
  { name: "tiktoken 1.0.22", ours: false, fresh: () => (text) => tiktoken.encode_ordinary(text) },
  { name: "gpt-tokenizer 4.0.0", ours: false, fresh: () => (clearMergeCache(), (text) => gptTokenizer(text)) },
  { name: "ai-tokenizer 1.0.6", ours: false, fresh: () => textOf(new AiTokenizer(aiEncoding)) },
];
function bytesOf(tokenizer: { encode(bytes: Uint8Array): Ids }) {
  return (_: string, bytes: Uint8Array) => tokenizer.encode(bytes);
}
function textOf(tokenizer: { encode(text: string): Ids }) {
  return (text: string) => tokenizer.encode(text);
}

// Words that are properties of every JavaScript object, a byte order mark, NEL: a rival that fails here is not correct.
const probes = ["hasOwnProperty constructor", "\ufeffimport x", "a\u0085b", "it'ſ 'LL"].map((text) => ({ text, bytes: new TextEncoder().encode(text) }));
const correct = contenders.map(({ fresh }) => {
  const encode = fresh();
  return probes.every(({ text, bytes }) => String([...Array.from(encode(text, bytes))]) === String([...tiktoken.encode_ordinary(text)]));
});

console.log(`${cpus()[0]!.model}, Node ${process.version}, ${RUNS} interleaved runs, median (range), MB/s`);
if (!nativeEncodeCore(cl100kFromRanks(asset).ranks, "cl100k")) throw new Error("The addon is not built. Run `pnpm native`.");

for (const file of files) {
  const everything = textsOf(file);
  const step = Math.max(1, Math.round(everything.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / SAMPLE_BYTES));
  const texts = everything.filter((_, i) => i % step === 0); // rivals need seconds for what we do in milliseconds
  const documents = texts.map((text) => new TextEncoder().encode(text));
  const megabytes = documents.reduce((sum, { length }) => sum + length, 0) / 1e6;
  const expected = texts.map((text) => tiktoken.encode_ordinary(text));
  const wrong = contenders.map(({ fresh }) => {
    const encode = fresh();
    return texts.filter((text, i) => {
      const ids = encode(text, documents[i]!);
      return ids.length !== expected[i]!.length || expected[i]!.some((id, at) => id !== ids[at]);
    }).length;
  });
  if (contenders.some(({ ours }, i) => ours && wrong[i]! > 0)) throw new Error(`${String(file)}: our ids differ from tiktoken's`);

  const first: number[][] = contenders.map(() => []);
  const warm: number[][] = contenders.map(() => []);
  for (let run = 0; run < RUNS; run++) {
    for (const [i, { fresh }] of contenders.entries()) {
      const encode = fresh();
      const all = () => texts.forEach((text, k) => encode(text, documents[k]!));
      first[i]!.push(megabytes / seconds(all));
      warm[i]!.push(megabytes / seconds(all));
    }
  }
  console.log(`${String(file).split("/").at(-1)}, ${texts.length} documents, ${megabytes.toFixed(1)} MB`);
  for (const [i, { name }] of contenders.entries()) {
    const note = wrong[i]! > 0 ? `  wrong ids in ${wrong[i]} documents` : "";
    console.log(`  ${name.padEnd(20)} first ${spread(first[i]!).padEnd(22)} warm ${spread(warm[i]!)}${note}`);
  }
  const ratios = contenders.flatMap(({ ours, name }, i) =>
    ours ? [] : [`${median(first[0]!.map((speed, run) => speed / first[i]![run]!)).toFixed(1)} times ${name}${correct[i] ? "" : " (incorrect)"}`],
  );
  console.log(`  first pass, native bytes: ${ratios.join(", ")}`);
}

const draw = random(3, "adversarial");
const characters = (count: number, from: number, range: number) =>
  Array.from({ length: count }, (_, i) => String.fromCodePoint(from + draw.integer(i, range))).join("");
const adversarial: Record<string, string> = {
  "one letter": "a".repeat(1e6),
  blanks: " ".repeat(1e6),
  newlines: "\n".repeat(1e6),
  "one sign": "!".repeat(1e6),
  "random signs": characters(1e6, 33, 15),
  "one random word": characters(1e6, 97, 26),
  "Chinese without a break": characters(333_333, 0x4e00, 20_000),
  "joined emoji": "👩‍👩‍👧".repeat(1e6 / 18),
  "blanks and newlines": `${" ".repeat(50)}\n`.repeat(1e6 / 51),
  digits: characters(1e6, 48, 10),
  "decoded noise": Buffer.from(Array.from({ length: 500_000 }, (_, i) => draw.integer(i, 256))).toString("utf8"),
};
console.log("1 MB made to be slow, ms: native, TypeScript (first call of a fresh encoder)");
for (const [name, text] of Object.entries(adversarial)) {
  const row = [cl100kFromRanks(asset), typescript()].map((tokenizer) => seconds(() => tokenizer.encode(text)) * 1000);
  console.log(`  ${name.padEnd(26)} ${row.map((ms) => ms.toFixed(0).padStart(6)).join("")}`);
}

// A fresh process from the import of the built package to the first ids.
const program = `const start = performance.now();
const { cl100k } = await import("@espalier/tokenizer/node");
const { length } = cl100k().encode("hello");
if (length === 1) console.log(performance.now() - start, cl100k().encoder);`;
const startups = Array.from({ length: RUNS }, () =>
  spawnSync(process.execPath, ["--input-type=module", "-e", program], { cwd: new URL("..", import.meta.url), encoding: "utf8" }),
).map(({ stdout, stderr }) => {
  if (!stdout.endsWith("native\n")) throw new Error(`Build first: \`pnpm --filter @espalier/tokenizer... build\`.\n${stderr}`);
  return parseFloat(stdout);
});
console.log(`start-up, import to first ids: ${spread(startups)} ms`);
